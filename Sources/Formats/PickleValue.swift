import ResidualTensors

/// A value from a pickle: data only, a closed set of kinds. `Tensor` is what stands for a tensor.
///
/// No value is deeper than `PickleReader.maximumDepth`, so walking one may recurse.
package enum PickleValue<Tensor: Equatable & Sendable>: Equatable, Sendable {
  case none
  case bool(Bool)
  case integer(Int64)
  /// A whole number beyond `Int64`: its bytes in two's complement, the lowest first.
  case largeInteger([UInt8])
  case float(Double)
  case text(String)
  case bytes([UInt8])
  /// A tuple or a `torch.Size`.
  case tuple([PickleValue])
  case list([PickleValue])
  /// A `dict`, `OrderedDict` or `Counter`, in the order of the file.
  case dictionary([PickleMember<Tensor>])
  indirect case tensor(Tensor)
  /// Something that no model needs, such as `torch.device` or `argparse.Namespace`: its name.
  case opaque(String)
}

/// One member of a dictionary.
package struct PickleMember<Tensor: Equatable & Sendable>: Equatable, Sendable {
  /// The key, which no other member has.
  package let key: PickleKey
  /// What stands under the key.
  package let value: PickleValue<Tensor>

  package init(_ key: PickleKey, _ value: PickleValue<Tensor>) {
    self.key = key
    self.value = value
  }
}

/// A key of a dictionary.
package enum PickleKey: Hashable, Sendable, CustomStringConvertible {
  case text(String)
  case integer(Int64)

  package var description: String {
    switch self {
    case .text(let text): text
    case .integer(let number): String(number)
    }
  }
}

extension PickleValue {
  /// The members of a dictionary; `nil` of anything else.
  package var members: [PickleMember<Tensor>]? {
    if case .dictionary(let members) = self { members } else { nil }
  }

  /// The value under a key of a dictionary; `nil` if there is none, and of anything else.
  ///
  /// - Complexity: O(members).
  package subscript(key: String) -> PickleValue? {
    members?.first { $0.key == .text(key) }?.value
  }

  /// Every tensor within, in the order of the file, under the keys and indices that lead to it,
  /// joined by full stops: `state_dict.conv1.weight`, `optimizer.state.0.momentum_buffer`. The name
  /// is empty if the value itself is a tensor. Keys may hold full stops, so that two tensors can
  /// have the same name.
  package var tensors: [(name: String, tensor: Tensor)] {
    var result: [(name: String, tensor: Tensor)] = []
    _ = mapTensors { name, tensor -> Tensor in
      result.append((name, tensor))
      return tensor
    }
    return result
  }

  /// The same value with each tensor replaced; `transform` is given the name that ``tensors`` has.
  ///
  /// - Complexity: O(values within); the recursion is as deep as the value.
  func mapTensors<Other, Failure: Error>(
    _ name: String = "", _ transform: (String, Tensor) throws(Failure) -> Other
  ) throws(Failure) -> PickleValue<Other> {
    func inner(_ part: some CustomStringConvertible) -> String {
      name.isEmpty ? "\(part)" : "\(name).\(part)"
    }
    func map(_ items: [PickleValue]) throws(Failure) -> [PickleValue<Other>] {
      var result: [PickleValue<Other>] = []
      result.reserveCapacity(items.count)
      for (index, item) in items.enumerated() {
        result.append(try item.mapTensors(inner(index), transform))
      }
      return result
    }
    switch self {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .largeInteger(let bytes): return .largeInteger(bytes)
    case .float(let value): return .float(value)
    case .text(let text): return .text(text)
    case .bytes(let bytes): return .bytes(bytes)
    case .opaque(let name): return .opaque(name)
    case .tensor(let tensor): return .tensor(try transform(name, tensor))
    case .tuple(let items): return .tuple(try map(items))
    case .list(let items): return .list(try map(items))
    case .dictionary(let members):
      var result: [PickleMember<Other>] = []
      result.reserveCapacity(members.count)
      for member in members {
        let value = try member.value.mapTensors(inner(member.key), transform)
        result.append(PickleMember<Other>(member.key, value))
      }
      return .dictionary(result)
    }
  }
}

/// A tensor as a pickle describes it, before anything about it is checked against the file.
package struct PickledTensor: Hashable, Sendable {
  package let storage: PickledStorage
  /// The place of the first element, in elements from the start of the storage.
  package let offset: Int64
  package let extents: [Int64]
  /// The distance of neighbours along each axis, in elements.
  package let strides: [Int64]
}

/// The memory of one or more tensors as a pickle describes it.
package struct PickledStorage: Hashable, Sendable {
  package let key: String
  package let type: ElementType
  /// The number of elements of the whole storage.
  package let count: Int64
  /// The part of it that counts as the storage of this tensor, in old files.
  package let view: View?

  package struct View: Hashable, Sendable {
    package let offset: Int64
    package let count: Int64
  }
}
