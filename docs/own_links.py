"""Links code in pages to the reference, and examples to their pages in the gallery.

A name is linked in a block of code if a block of the same page imports it from skseq,
and as `skseq.name`; in a sentence, if it can be nothing else. The table of names is
what the site's own reference describes: nothing is read from other sites.
"""

import re

from docutils import nodes
from sphinx import addnodes

EXAMPLE = re.compile(r"examples/(plot_\w+)\.py$")
IMPORT = re.compile(r"from (skseq(?:\.\w+)*) import (\([^)]*\)|[^\n]*)")

LINK = re.compile(r"<a\b.*?</a>|<h\d>.*?</h\d>", re.DOTALL)
BLOCK = re.compile(r'<div class="highlight">.*?</div>', re.DOTALL)
WORD = re.compile(r'<span class="n">(\w+)</span>(?!<span class="o">=)')
ATTRIBUTE = re.compile(
    r'(<span class="n">skseq</span><span class="o">\.</span>)'
    r'(<span class="n">(\w+)</span>)'
)
CODE = re.compile(
    r'<code class="[^"]*\bliteral\b[^"]*"><span class="pre">([\w.]+)</span></code>'
)


def link_examples(app, doctree):
    """Lead from an example's file to its page, where the file can be downloaded too."""
    for link in list(doctree.findall(addnodes.download_reference)):
        found = EXAMPLE.search(link["reftarget"])
        page = f"gallery/{found[1]}" if found else None
        if page in app.env.found_docs:
            address = app.builder.get_relative_uri(app.env.docname, page)
            content = [part for inline in link.children for part in inline.children]
            link.replace_self(
                nodes.reference("", "", *content, internal=True, refuri=address)
            )


def own_names(app):
    """The page and anchor of each public name of skseq."""
    described = app.env.domains["py"].objects
    return {
        name: (entry.docname, entry.node_id)
        for name, entry in described.items()
        if entry.objtype in ("class", "exception", "function")
    }


def imported_names(doctree, names):
    """What the blocks of a page import from skseq: full names by short ones."""
    blocks = doctree.findall(
        lambda node: isinstance(node, (nodes.literal_block, nodes.doctest_block))
    )
    found = {}
    for block in blocks:
        text = block.astext().replace("... ", "")
        for module, imported in IMPORT.findall(text):
            found |= {name: f"{module}.{name}" for name in re.findall(r"\w+", imported)}
    return {short: full for short, full in found.items() if full in names}


def unmistakable_names(names):
    """The name in full by what a sentence may call it."""
    found = {}
    for full in names:
        short = full.rpartition(".")[2]
        if "_" in short or short != short.lower():
            found.setdefault(short, []).append(full)
    shorts = {short: fulls[0] for short, fulls in found.items() if len(fulls) == 1}
    return shorts | {full: full for full in names}


def link_names(app, pagename, templatename, context, doctree):
    """Put links around the names of skseq in the body of a page."""
    if doctree is None or pagename.startswith("gallery/"):
        return  # sphinx-gallery links its own
    names = own_names(app)
    imported, spoken = imported_names(doctree, names), unmistakable_names(names)

    def linked(html, full):
        page, anchor = names.get(full, (pagename, ""))
        if page == pagename:
            return html
        address = app.builder.get_relative_uri(pagename, page)
        return f'<a class="own-name" href="{address}#{anchor}">{html}</a>'

    def of_skseq(match):
        return match[1] + linked(match[2], f"skseq.{match[3]}")

    def of_page(match):
        return linked(match[0], imported.get(match[1]))

    def of_sentence(match):
        return linked(match[0], spoken.get(match[1]))

    body, end, parts = context["body"], 0, []
    for match in BLOCK.finditer(body):
        parts.append(outside_links(CODE, of_sentence, body[end : match.start()]))
        block = outside_links(ATTRIBUTE, of_skseq, match[0])
        parts.append(outside_links(WORD, of_page, block))
        end = match.end()
    parts.append(outside_links(CODE, of_sentence, body[end:]))
    context["body"] = "".join(parts)


def outside_links(pattern, change, html):
    """Change what matches a pattern and stands outside links and headings."""
    parts, end = [], 0
    for match in LINK.finditer(html):
        parts += [pattern.sub(change, html[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, pattern.sub(change, html[end:])])


def setup(app):
    app.connect("doctree-read", link_examples)
    app.connect("html-page-context", link_names)
    return {"parallel_read_safe": True}
