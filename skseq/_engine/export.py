"""Lets the network of a fitted estimator be exported to where skseq is not."""

import keras
import tensorflow as tf

from skseq._nn import compiled


def make_exportable(model: keras.Model) -> keras.Model:
    """Let `export` of a network write operations of TensorFlow's only.

    A SavedModel of compiled operations could be loaded only where they are, and one of
    functions with gradients of their own could not be written.
    """
    exported = model.export

    def export(filepath, format="tf_saved_model", **options):
        with compiled.switched_off():
            if format == "tf_saved_model" and not options:
                _write_saved_model(model, filepath)
            else:
                exported(filepath, format, **options)

    model.export = export
    return model


def _write_saved_model(model, path) -> None:
    """Write the network as Keras does, with the endpoint "serve", for inference."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [
        tf.TensorSpec(source.shape, source.dtype, source.name)
        for source in model.inputs
    ]
    archive.add_endpoint("serve", lambda *inputs: model(list(inputs)), signature)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    archive.write_out(path, options, verbose=False)
