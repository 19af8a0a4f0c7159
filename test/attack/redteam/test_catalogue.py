"""Each case of the catalogue has an answer: here, in another test, as a residual risk, or openly not yet."""
import pathlib

import elsewhere
import pytest

HERE = pathlib.Path(__file__).parent
README = HERE.parents[2] / "README.md"
IDS = [f"{letter}{n}" for letter, numbers in elsewhere.CATALOGUE.items() for n in numbers]


def tried_here():
    text = "".join(p.read_text() for p in HERE.glob("*.py") if p.name != "elsewhere.py")
    return {i for i in IDS if f'"{i}"' in text}


def test_every_case_has_an_answer():
    answered = tried_here() | set(elsewhere.PROVED) | set(elsewhere.RESIDUAL) | set(elsewhere.WAITING)
    assert set(IDS) - answered == set()


def test_no_case_is_both_open_and_answered():
    answered = tried_here() | set(elsewhere.PROVED)
    assert answered & (set(elsewhere.WAITING) | set(elsewhere.RESIDUAL)) == set()
    assert set(elsewhere.PROVED) | set(elsewhere.RESIDUAL) | set(elsewhere.WAITING) <= set(IDS)


@pytest.mark.parametrize("case", elsewhere.PROVED)
def test_the_tests_that_prove_a_case_exist(case):
    for file, name in elsewhere.PROVED[case]:
        text = (HERE.parents[1] / file).read_text()
        wanted = f'TEST_CASE("{name}' if file.endswith(".cpp") else f"def test_{name}("
        assert wanted in text, f"{file}: {name}"


@pytest.mark.parametrize("case", elsewhere.RESIDUAL)
def test_what_cannot_be_stopped_is_said_in_the_readme(case):
    assert f"**{elsewhere.RESIDUAL[case]}" in README.read_text()
