"""Writes formulas as MathML, which browsers show by themselves.

Sphinx's own renderers load a script from another site, or need LaTeX.
"""

from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

MATHML = "http://www.w3.org/1998/Math/MathML"
ElementTree.register_namespace("", MATHML)


def mathml(formula, as_block=False):
    """A formula of TeX as MathML, indices beside letters with a hat, not below them."""
    text = tex2mathml(formula, as_block=as_block).replace("&ApplyFunction;", "\u2061")
    math = ElementTree.fromstring(text)
    for element in math.iter(f"{{{MATHML}}}munderover"):
        letter, index, accent = element
        if letter.tag.endswith("}mi"):
            hatted = ElementTree.Element(f"{{{MATHML}}}mover", accent="true")
            hatted.extend([letter, accent])
            element.tag, element[:] = f"{{{MATHML}}}msub", [hatted, index]
    return ElementTree.tostring(math, encoding="unicode")


def write_inline(writer, node):
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def write_block(writer, node):
    formula = mathml(node.astext(), as_block=True)
    writer.body.append(f'<div class="formula">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    return {"parallel_read_safe": True}
