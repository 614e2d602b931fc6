"""Files: bytes in one archive, and plain values in JSON and arrays.

Knows nothing of Keras, nor what a file means.
"""
