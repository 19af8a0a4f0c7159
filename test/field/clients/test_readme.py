"""test/README.md says of the clients what the other tests assert."""
from registries import HERE
from table import markdown


def test_the_readme_holds_the_matrix():
    print(markdown())
    assert markdown() in (HERE.parent.parent / "README.md").read_text()
