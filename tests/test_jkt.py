"""jupyter_kernel_test, with every test enabled and none skipped."""

import os
import shutil
from collections.abc import Iterator

import jupyter_kernel_test
import pytest

from launch import KERNEL_NAME, isolated_environment, new_folder

CONTENT = 'println!("EVCXR_BEGIN_CONTENT {}\\n{}\\nEVCXR_END_CONTENT");'


@pytest.fixture(scope="module", autouse=True)
def own_history() -> Iterator[None]:
    """These tests count what they find in the history: it begins empty."""
    folder = new_folder()
    before = dict(os.environ)
    os.environ.update(isolated_environment(folder))
    yield
    os.environ.clear()
    os.environ.update(before)
    shutil.rmtree(folder, ignore_errors=True)


class TestKernel(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL_NAME
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("to stderr");'
    completion_samples = [
        {"text": "%lsmag", "matches": ["%lsmagic"]},
        {"text": "String::from_utf8_los"},
        {"text": "Vec::<u8>::new().is_emp"},
    ]
    complete_code_samples = ["1 + 1", "fn f() {}", 'let s = "{";', "%lsmagic", "// only said"]
    incomplete_code_samples = ["fn f() {", "vec![1,", 'let s = "open', "/* open", "let a = 1 +"]
    invalid_code_samples = ["fn f() { ) }", "let a = (1];"]
    code_page_something = "%lsmagic?"
    code_generate_error = 'panic!("wanted");'
    code_execute_result = [
        {"code": "40 + 2", "result": "42"},
        {"code": '"as" .len()', "result": "2"},
    ]
    code_display_data = [
        {"code": CONTENT.format("text/html", "<b>x</b>"), "mime": "text/html"},
        {"code": CONTENT.format("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"), "mime": "image/svg+xml"},
    ]
    code_history_pattern = "4?*2"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Vec::with_capacity"
    code_clear_output = r"""
        println!("EVCXR_BEGIN_CONTENT application/x-assay-order\n{}\nEVCXR_END_CONTENT", r#"{"clear_output": {"wait": false}}"#);
    """


class TestWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL_NAME
    support_iopub_welcome = True


# Imported names are tests of their own to pytest: the two classes above are the ones that are meant.
del jupyter_kernel_test
