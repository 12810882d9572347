import CGRPC
import Glibc

/// Arguments of a channel or server in the C core's form.
final class CoreArguments {
  private var arguments: [grpc_arg] = []

  deinit {
    for argument in arguments {
      free(argument.key)
      if argument.type == GRPC_ARG_STRING { free(argument.value.string) }
    }
  }

  func set(_ key: String, _ value: Int) {
    var argument = grpc_arg()
    argument.type = GRPC_ARG_INTEGER
    argument.key = strdup(key)
    argument.value.integer = Int32(clamping: value)
    arguments.append(argument)
  }

  func set(_ key: String, _ value: String) {
    var argument = grpc_arg()
    argument.type = GRPC_ARG_STRING
    argument.key = strdup(key)
    argument.value.string = strdup(value)
    arguments.append(argument)
  }

  func set(_ key: String, _ value: Duration?) {
    if let value { set(key, value.argumentMilliseconds) }
  }

  /// The core copies what it keeps; the pointer is valid during `body`.
  func withPointer<Result>(_ body: (UnsafePointer<grpc_channel_args>) -> Result) -> Result {
    arguments.withUnsafeMutableBufferPointer { buffer in
      var list = grpc_channel_args(num_args: buffer.count, args: buffer.baseAddress)
      return withUnsafePointer(to: &list, body)
    }
  }
}
