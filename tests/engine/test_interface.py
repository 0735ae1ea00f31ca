"""The C interface, which the header and Python declare: a library that differs is refused."""

import re
from pathlib import Path

import pytest

from inksight.engine import interface, library as native

HEADER = Path(__file__).parents[2] / "native" / "api" / "inksight.h"


def test_python_and_the_header_agree_on_the_interface_number():
    defined = re.search(r"^#define INKSIGHT_ABI (\d+)$", HEADER.read_text(), re.MULTILINE)
    assert defined is not None
    assert int(defined[1]) == interface.ABI


def test_python_declares_every_function_of_the_header():
    functions = set(re.findall(r"^[a-z].*?\b(inksight_\w+)\(", HEADER.read_text(), re.MULTILINE))
    assert functions == {*interface.FUNCTIONS, "inksight_abi", "inksight_interface"}  # the two that make the check


@pytest.mark.skipif(native.library() is None, reason="the native engine is not built here")
def test_the_engine_declares_what_python_declares():
    library = native.library()
    assert library is not None
    assert library.inksight_abi() == interface.ABI
    assert interface.declare(library) is None


def test_an_unchanged_interface_is_accepted(changed_interface):
    changed_interface("inksight_isa", interface.DECLARATIONS["inksight_isa"])
    with pytest.raises(AttributeError, match="inksight_"):  # accepted: the stand-in has no functions to declare
        native.problem()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("inksight_constants", "double box_size; double side;"),  # two fields swapped
        ("inksight_found", "int height;"),
        ("inksight_bank", "int filters; int kernel;"),
        ("inksight_stages", "float* normalized;"),
        ("inksight_problem", "INKSIGHT_NONE, INKSIGHT_FAINT, INKSIGHT_BLANK, INKSIGHT_SMALL"),
        ("inksight_predict", "ipppip"),  # a number of images that is an int
        ("inksight_new_function", "v"),
    ],
)
def test_a_library_with_one_other_declaration_is_refused(changed_interface, name, text):
    changed_interface(name, text)
    assert native.library() is None
    assert native.problem() == (
        f"/somewhere/libinksight.so has another {name} than this inksight needs: "
        "install inksight again to rebuild the engine"
    )
