// What lies beside the weights: a name and its data, neither imported nor called.
#include <bit>

#include "checkpoint/builders.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/files.h"

namespace sealite::checkpoint {
namespace {

const std::string kTensor = TensorOps{}();

std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

// numpy's scalar of a type and the bytes of its value, each a letter of a text, as protocol 2 writes it.
std::string numpy_scalar(std::string_view type, std::string_view letters) {
  using namespace std::string_literals;
  return global("numpy._core.multiarray", "scalar") + "(" + global("numpy", "dtype") + "(" + text_op(type) +
         "\x89\x88tR(K\3" + text_op("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"s +
         global("_codecs", "encode") + "(" + text_op(letters) + text_op("latin1") + "tRtR";
}

class Opaque : public ::testing::Test {
 protected:
  Checkpoint open(const std::string& pickle, const std::string& storage = std::string(24, '\1')) const {
    write_file(folder_ / "file.pth", torch_zip(pickle, storage));
    return Checkpoint::open(folder_ / "file.pth");
  }
  // Of the file's last section.
  std::vector<std::string> beside(const std::string& value) const {
    return open(model_pickle(kTensor, text_op("x") + value)).sections().back().opaque;
  }
  TestFolder folder_;
};

using Classes = std::vector<std::string>;

TEST_F(Opaque, ObjectsAreNamesAndTheirData) {
  EXPECT_EQ(beside(global("pathlib", "PosixPath") + text_op("a") + text_op("b") + "\x86R"),
            Classes{"pathlib.PosixPath"});
  EXPECT_EQ(beside(global("my.own", "Class.Inner") + ")\x81}" + text_op("a") + kTensor + "sb"),
            Classes{"my.own.Class.Inner"});
  EXPECT_EQ(beside(global("torch.torch_version", "TorchVersion") + text_op("2.1") + "\x85\x81"),
            Classes{"torch.torch_version.TorchVersion"});
  EXPECT_EQ(beside(numpy_scalar("f8", "12345678")),
            (Classes{"numpy._core.multiarray.scalar", "numpy.dtype"}));
  EXPECT_EQ(beside(global("a", "List") + ")\x81K\1a(K\2K\3eK\4K\5s"), Classes{"a.List"});
  EXPECT_EQ(beside(global("a", "Class")), Classes{"a.Class"});
  // Named arguments, a call of what a call gave, and protocol 0's two ways to make an object.
  EXPECT_EQ(beside(global("a", "N") + ")}" + text_op("k") + kTensor + "s\x92"), Classes{"a.N"});
  EXPECT_EQ(beside(global("functools", "partial") + ")R)R"), Classes{"functools.partial"});
  EXPECT_EQ(beside("(" + text_op("a") + "ia\nB\n"), Classes{"a.B"});
  EXPECT_EQ(beside("(" + global("a", "C") + text_op("a") + "o"), Classes{"a.C"});
}

TEST_F(Opaque, TensorsInThemAreCounted) {
  const Checkpoint checkpoint =
      open(model_pickle(kTensor, text_op("x") + global("a", "B") + ")\x81}" + text_op("t") + kTensor + "sb"));
  EXPECT_EQ(checkpoint.sections().back().tensors, 1U);
  EXPECT_EQ(checkpoint.sections().back().bytes, 24U);
}

TEST_F(Opaque, TensorsOfOtherKindsStandAmongTheWeights) {
  const std::string sparse = global("torch._utils", "_rebuild_sparse_tensor") + "(NtR";
  const std::string complex = TensorOps{
      .storage_type = "torch\nComplexFloatStorage\n", .elements = 3, .shape = {3}, .strides = {1}}();
  const std::string negated = kTensor.substr(0, kTensor.size() - 2) + "}" + text_op("neg") + "\x88" + "stR";
  const Checkpoint checkpoint = open(proto("}(" + text_op("w") + kTensor + text_op("s") + sparse +
                                           text_op("c") + complex + text_op("n") + negated + "u"));
  EXPECT_EQ(checkpoint.tensors().size(), 1U);
  const UnreadableMap expected{
      {"c", "complex64"}, {"n", "torch.Tensor"}, {"s", "torch._utils._rebuild_sparse_tensor"}};
  EXPECT_EQ(checkpoint.unreadable(), expected);
}

TEST_F(Opaque, TensorsWithAttributesAreTensors) {
  const std::string make = "ctorch._utils\n_rebuild_tensor_v2\n";
  const std::string parts = kTensor.substr(make.size(), kTensor.size() - make.size() - 1);  // without REDUCE
  const std::string with = global("torch._tensor", "_rebuild_from_type_v2") + "(" + make +
                           global("torch", "Tensor") + parts + "}" + text_op("note") + text_op("x") + "stR";
  const std::string parameter = global("torch._utils", "_rebuild_parameter_with_state") + "(" + kTensor +
                                "\x89}}" + text_op("note") + "Nst" + "R";
  for (const std::string& tensor : {with, parameter}) {
    const Checkpoint checkpoint = open(model_pickle(tensor));
    ASSERT_NE(checkpoint.find("w"), nullptr);
    EXPECT_EQ(checkpoint.find("w")->shape, (Shape{2, 3}));
  }
}

TEST_F(Opaque, ArgsThatAreOneNumberAreRead) {
  // 1.0 as NumPy's float64, whose last byte 0x3f and last but one 0xf0 are letters of two and one bytes.
  const std::string one = numpy_scalar("f8", std::string("\0\0\0\0\0\0\xc3\xb0?", 9));
  const std::string scalar = TensorOps{.offset = 1, .shape = {}, .strides = {}}();
  const std::string config = global("omegaconf.dictconfig", "DictConfig") + ")\x81}" + text_op("_content") +
                             "}" + text_op("deep") + global("omegaconf.nodes", "AnyNode") + ")\x81}" +
                             text_op("_val") + "K\7sbssb";
  const Checkpoint checkpoint =
      open(model_pickle(kTensor, text_op("args") + "}(" + text_op("one") + one + text_op("true") +
                                     numpy_scalar("b1", "\1") + text_op("tensor") + scalar +
                                     text_op("config") + config + text_op("path") +
                                     global("pathlib", "PosixPath") + ")R" + text_op("axes") + kTensor + "u"),
           le(0, 4) + le(std::bit_cast<std::uint32_t>(1.5F), 4) + std::string(16, '\0'));
  const ArgMap expected{{"config.deep", "7"}, {"one", "1.0"}, {"tensor", "1.5"}, {"true", "true"}};
  EXPECT_EQ(checkpoint.args(), expected);
  EXPECT_EQ(checkpoint.dropped_args(), (Classes{"path", "axes"}));
}

TEST_F(Opaque, ArgsThatHoldThemselvesEnd) {
  const std::string knot = global("omegaconf.nodes", "AnyNode") + ")\x81q\1}" + text_op("_val") + "h\1sb";
  EXPECT_EQ(open(model_pickle(kTensor, text_op("args") + "}" + text_op("a") + knot + "s")).dropped_args(),
            Classes{"a"});
}

TEST_F(Opaque, ArgsOfAnotherKindAreNamed) {
  EXPECT_EQ(open(model_pickle(kTensor, text_op("args") + global("a", "Config") + ")\x81")).opaque_args(),
            "a.Config");
}

TEST_F(Opaque, AWholeModuleIsNamedForWhatItIs) {
  const std::string module =
      global("a", "Model") + ")\x81}(" + text_op("_modules") + "}" + text_op("_parameters") + "}ub";
  for (const std::string& pickle : {proto(module), proto("}" + text_op("model") + module + "s")}) {
    const std::string message = expect_error(ErrorCode::kUnsupported, [&] { open(pickle); });
    EXPECT_NE(message.find("whole torch.nn.Module ('a.Model')"), std::string::npos) << message;
  }
}

TEST_F(Opaque, OldProtocolsAreRead) {
  const std::string storage = "P('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 6)\n";
  const std::string tensor = "ctorch._utils\n_rebuild_tensor_v2\n(" + storage +
                             "I0\n(I2\nI3\nt(I3\nI1\ntI00\nccollections\nOrderedDict\n(tRtR";
  const std::string pickle = "(dp0\nVmodel\np1\n(dS'w\\x41'\n" + tensor +
                             "ssVargs\n(dVa\nL5L\nsVb\nF0.5\nsVc\nI01\nsVd\nV\\u00e4\\U0001F600\ns" +
                             "Ve\nL99999999999999999999L\nsVf\ng1\nsVg\n(I1\nlss.";
  const Checkpoint checkpoint = open(pickle);
  ASSERT_NE(checkpoint.find("wA"), nullptr);
  const ArgMap expected{{"a", "5"}, {"b", "0.5"}, {"c", "true"}, {"d", "ä😀"}, {"f", "model"}, {"g.0", "1"}};
  EXPECT_EQ(checkpoint.args(), expected);
}

}  // namespace
}  // namespace sealite::checkpoint
