"""Pickles that run programs, or want to: globals, REDUCE chains, and opcodes that torch never writes."""
from attack import CHECKPOINT, MARKER, Attack
from families.opaque import IGNORED
from formats.pickle_ops import integer, le, model, tensor, text, torch_zip

SOUND, SUFFIX, COMMANDS, MEMORY = "small.pth", ".pth", CHECKPOINT, 64
TOUCH = text("touch " + MARKER)
EVAL = text(f"open('{MARKER}', 'w')")

# module, name, argument
GLOBALS = [("os", "system", TOUCH), ("posix", "system", TOUCH), ("nt", "system", TOUCH), ("subprocess", "Popen", TOUCH),
           ("subprocess", "check_output", TOUCH), ("os", "popen", TOUCH), ("os", "execvp", TOUCH), ("pty", "spawn", TOUCH),
           ("builtins", "eval", EVAL), ("builtins", "exec", EVAL), ("__builtin__", "eval", EVAL),
           ("builtins", "compile", EVAL), ("builtins", "__import__", text("os")), ("builtins", "getattr", TOUCH),
           ("builtins", "open", text(MARKER)), ("builtins", "globals", b"N"), ("importlib", "import_module", text("os")),
           ("runpy", "run_path", text(MARKER)), ("pickle", "loads", TOUCH), ("_pickle", "loads", TOUCH),
           ("torch", "load", TOUCH), ("torch.hub", "load", TOUCH), ("torch.jit", "load", TOUCH),
           ("torch.storage", "_load_from_bytes", TOUCH), ("numpy", "load", TOUCH), ("shutil", "rmtree", text(".")),
           ("socket", "create_connection", TOUCH), ("webbrowser", "open", TOUCH), ("ctypes", "CDLL", text("libc.so.6")),
           ("types", "CodeType", TOUCH), ("", "", TOUCH), (".", ".", TOUCH), ("os.", "system", TOUCH)]

OS_SYSTEM = b"cos\nsystem\n"
DICT = b"ccollections\nOrderedDict\n"
NAMESPACE = b"cargparse\nNamespace\n"

# name, opcodes of the tensor's place, words, and the status if it is not 65: 69 where the value is no tensor
OPCODES = [
    ("inst", b"(" + TOUCH + b"ios\nsystem\n", ("os.system",)),
    ("obj", b"(" + OS_SYSTEM + TOUCH + b"o", ("os.system",)),
    ("obj_of_a_known_global", b"(" + DICT + b"o", (), 69),
    ("newobj", OS_SYSTEM + TOUCH + b"\x85\x81", ("os.system",)),
    ("newobj_ex", DICT + b")}\x92", (), 69),
    ("newobj_of_a_tensor_maker", b"ctorch._utils\n_rebuild_tensor_v2\n)\x81", ()),
    ("ext1", b"\x82\x01", ("opcode 0x82",)),
    ("ext2", b"\x83\x01\x00", ("opcode 0x83",)),
    ("ext4", b"\x84\x01\x00\x00\x00", ("opcode 0x84",)),
    ("persid_of_a_line", b"P0\n", ("persistent id",)),
    ("binpersid_of_a_text", text("storage") + b"Q", ()),
    ("binpersid_of_a_number", integer(7) + b"Q", ()),
    ("binpersid_of_another_kind", b"(" + text("module") + text("os") + text("system") + b"tQ", ()),
    ("binpersid_with_no_class", b"(" + text("storage") + text("FloatStorage") + text("0") + text("cpu") + integer(6)
     + b"tQ", ()),
    ("binpersid_with_a_dict_as_class", b"(" + text("storage") + DICT + text("0") + text("cpu") + integer(6) + b"tQ", ()),
    ("binpersid_that_is_short", b"(" + text("storage") + b"tQ", ()),
    ("stack_global_of_numbers", integer(1) + integer(2) + b"\x93", ("a global has no name",)),
    ("stack_global_of_bytes", b"C\2osC\6system\x93", ("a global has no name",)),
    ("stack_global_of_nothing", b"\x93", ()),
    ("stack_global_os_system", text("os") + text("system") + b"\x93" + TOUCH + b"\x85R", ("os.system",)),
    ("stack_global_with_control_characters", text("\x1b]0;owned\x07") + text("\x1b[2J") + b"\x93", ("refused",)),
    ("global_with_control_characters", b"c\x1b[31mos\n\x9b2Jsystem\n", ("refused",)),
    ("global_that_is_no_utf8", b"c\xff\xfe\n\x80\x81\n", ("refused",)),
    ("global_with_no_end", b"cos", ()),
    ("global_of_a_mebibyte", b"c" + b"a" * (1 << 20) + b"\nb\n", ("refused",)),
    ("reduce_of_a_number", integer(1) + b")R", ()),
    ("reduce_of_a_tensor", tensor() + b")R", ()),
    ("reduce_of_a_storage_class", b"ctorch\nFloatStorage\n" + integer(9) + b"\x85R", ()),
    ("reduce_with_no_tuple", DICT + integer(1) + b"R", ()),
    ("reduce_chain", DICT * 500 + b")" + b"R" * 500, ()),
    ("build_of_a_dict_of_dunders", DICT + b")R}" + text("__class__") + OS_SYSTEM + b"sb", ("os.system",)),
    ("build_of_a_number", integer(1) + b"}b", ()),
    ("build_with_setstate", NAMESPACE + b")\x81}" + text("__setstate__") + b"cbuiltins\nexec\nsb" + EVAL + b"b",
     ("builtins.exec",)),
    ("build_with_state_of_two", integer(1) + b"}}\x86b", ()),
    ("get_of_a_line", b"g0\n", ("never set",)),
    ("put_of_a_line", b"}p0\n", (), 69),
    ("int_of_a_line", b"I99999999999999999999\n", ("no integer",)),
    ("long_of_a_line", b"L" + b"9" * 100000 + b"L\n", ("no integer",)),
    ("float_of_a_line", b"F1e999\n", ("no number",)),
    ("string_of_a_line", b"S'\\x1b[2J'\n", (), 69),
    ("unicode_of_a_line", b"V\\u0000\n", (), 69),
    ("next_buffer", b"\x97", ("opcode 0x97",)),
    ("readonly_buffer", b"\x98", ("opcode 0x98",)),
    ("bytearray_of_2_to_the_63", b"\x96" + le(1 << 63, 8), ("ends early",)),
    ("text_of_2_to_the_64", b"\x8d" + le(-1, 8), ("ends early",)),
    ("text_of_4_gib", b"X" + le(-1, 4), ("ends early",)),
    ("text_that_is_no_utf8", b"X" + le(3, 4) + b"\xff\xa0\x80", ("UTF-8",)),
    ("bytes_of_2_to_the_63", b"\x8e" + le(1 << 63, 8), ("ends early",)),
    ("long4_of_2_gib", b"\x8b" + le(1 << 31, 4), ("ends early",)),
    ("long4_of_minus_one", b"\x8b" + le(-1, 4), ("ends early",)),
    ("get_of_nothing", b"j" + le(-1, 4), ("never set",)),
    ("put_of_nothing", b"r\xff\xff\xff\xff", ()),
    ("pop_of_nothing", b"0" * 50, ()),
    ("pop_mark_of_nothing", b"1", ()),
    ("append_to_a_number", integer(1) + b"Na", ("another kind",)),
    ("setitems_of_three", b"}(NNNu", ("without a value",)),
    ("nested_protocol", b"\x80\x02", ("opcode 0x80",)),
]


def attacks(sound):
    for module, name, argument in GLOBALS:
        call = b"c" + module.encode() + b"\n" + name.encode() + b"\n" + argument + b"\x85R"
        says = ("which no checkpoint needs", "nothing was executed")
        yield Attack(f"global {module}.{name}", torch_zip(b"\x80\x02" + call + b"."), says=says)
        yield Attack(f"global {module}.{name} inside a model", torch_zip(model(call)), says=says)
    for name, opcodes, says, *status in OPCODES:
        yield Attack(name, torch_zip(model(opcodes)), says=says, status=status[0] if status else 65)
    yield from whole_pickles()


def whole_pickles():
    good = model(tensor())
    yield Attack("protocol 0", torch_zip(b"(dp0\n."), status=69)
    yield Attack("protocol 6", torch_zip(b"\x80\x06" + good[2:]), says=("protocol 6",))
    yield Attack("empty", torch_zip(b""), says=("ends early",))
    yield Attack("no STOP", torch_zip(good[:-1]), says=("ends early",))
    yield Attack("a second pickle behind it", torch_zip(good + b"\x80\x02" + OS_SYSTEM + TOUCH + b"\x85R."),
                 says=("bytes follow its end",))
    yield Attack("values left over", torch_zip(good[:-1] + b"N."), says=())
    yield Attack("mark left over", torch_zip(b"\x80\x02(" + good[2:]), says=())
    yield Attack("a frame that is longer than the file", torch_zip(b"\x80\x04\x95" + le(1 << 63, 8) + good[2:]),
                 status=IGNORED)
    yield Attack("a thousand frames", torch_zip(b"\x80\x04" + (b"\x95" + le(1 << 62, 8)) * 1000 + good[2:]),
                 status=IGNORED)
    yield Attack("model is a list", torch_zip(b"\x80\x02}" + text("model") + b"]s."), status=69)
    yield Attack("root is a tensor", torch_zip(b"\x80\x02" + tensor() + b"."), status=69)
    yield Attack("root is None", torch_zip(b"\x80\x02N."), status=69)
    yield Attack("one name for two tensors", torch_zip(model(tensor(), b"" + text("model") + b"}(" + text("w") + tensor()
                                                             + text("w") + tensor() + b"u")), says=())
