"""Writes formulas as MathML, which browsers show by themselves.

Sphinx's own renderers load a script from another site, or need LaTeX.
"""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def write_inline(writer, node):
    writer.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def write_block(writer, node):
    formula = tex2mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="formula">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    return {"parallel_read_safe": True}
