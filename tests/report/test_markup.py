"""What makes text safe in the page."""

from markupsafe import Markup

from daclass.report import markup


def test_digest_is_that_of_the_content_security_policy():
    # the example of the CSP specification, level 2, section 4.2.5
    assert markup.digest("alert('Hello, world.');") == (
        "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
    )


def test_listing_escapes_text_and_keeps_markup():
    assert markup.listing([]) == ""
    assert markup.listing(["a", "b", "c"]) == "a, b and c"
    assert markup.listing(["<b>", markup.name("<i>")]) == "&lt;b&gt; and <bdi>&lt;i&gt;</bdi>"
    assert isinstance(markup.listing(["a"]), Markup)
