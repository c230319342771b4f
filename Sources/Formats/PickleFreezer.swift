/// Takes a value out of the machine's table of objects.
///
/// The recursion is as deep as the value may be. An object is taken out once, and those who share it
/// share its memory. What a walk over the value meets is counted each time that it is met.
struct PickleFreezer {
  private let objects: [PickleObject]
  /// For each object the place of its part in `parts`, or one of the two below.
  private var places: [Int32]
  private var parts: [Part] = []

  private static let untouched: Int32 = -1
  /// An object that is being taken out contains itself if it is met again.
  private static let open: Int32 = -2

  private struct Part {
    var value = PickleValue<PickledTensor>.none
    /// How deep values are nested below this one.
    var height = 0
    /// The number of values, this one included.
    var count = 1
    /// The bytes of the keys that lead to the farthest value below.
    var reach = 0
  }

  init(_ objects: [PickleObject]) {
    self.objects = objects
    places = Array(repeating: Self.untouched, count: objects.count)
  }

  /// The value of an object.
  ///
  /// - Complexity: O(objects).
  mutating func value(_ root: Int) throws(PickleProblem) -> PickleValue<PickledTensor> {
    try freeze(root, depth: 0).value
  }

  private mutating func freeze(_ index: Int, depth: Int) throws(PickleProblem) -> Part {
    guard depth <= PickleReader.maximumDepth else {
      throw .tooDeep(limit: PickleReader.maximumDepth)
    }
    if case .leaf(let leaf) = objects[index] { return Part(value: leaf) }
    guard places[index] != Self.open else { throw .cyclic }
    if places[index] != Self.untouched { return parts[Int(places[index])] }
    places[index] = Self.open
    var part = Part()
    switch objects[index] {
    case .leaf(let leaf): part.value = leaf
    case .tuple(let indices): part.value = .tuple(try items(indices, depth, &part))
    case .list(let indices): part.value = .list(try items(indices, depth, &part))
    case .dictionary(let indices): part.value = .dictionary(try members(indices, depth, &part))
    case .global(.constant(let type)): part.value = .opaque(PickleGlobal.constant(type).name)
    case .global(let global): throw .unfinished("the bare name \(global.name)")
    case .storage: throw .unfinished("a storage without a tensor")
    case .numberType: part.value = .opaque(PickleGlobal.typeOfNumPy.name)
    }
    places[index] = Int32(parts.count)
    parts.append(part)
    return part
  }

  private mutating func items(
    _ indices: [Int], _ depth: Int, _ whole: inout Part
  ) throws(PickleProblem) -> [PickleValue<PickledTensor>] {
    var items: [PickleValue<PickledTensor>] = []
    items.reserveCapacity(indices.count)
    // An index is written with fewer than eight digits, and a full stop.
    for index in indices {
      items.append(try add(index, keyLength: 8, depth, to: &whole))
    }
    return items
  }

  private mutating func members(
    _ indices: [Int], _ depth: Int, _ whole: inout Part
  ) throws(PickleProblem) -> [PickleMember<PickledTensor>] {
    var keys: Set<PickleKey> = []
    var members: [PickleMember<PickledTensor>] = []
    members.reserveCapacity(indices.count / 2)
    for start in stride(from: 0, to: indices.count - 1, by: 2) {
      let (key, length) = try key(indices[start])
      guard keys.insert(key).inserted else { throw .duplicateKey(key.description) }
      let value = try add(indices[start + 1], keyLength: length, depth, to: &whole)
      members.append(PickleMember(key, value))
    }
    return members
  }

  private func key(_ index: Int) throws(PickleProblem) -> (PickleKey, length: Int) {
    switch objects[index] {
    case .leaf(.integer(let number)): return (.integer(number), 24)
    case .leaf(.text(let text)):
      // Before anything is done that takes longer for a longer text.
      let length = text.utf8.count
      guard length <= PickleReader.maximumKeyLength else {
        throw .keyTooLong(limit: PickleReader.maximumKeyLength)
      }
      return (.text(text), length + 1)
    default: throw .unsupportedKey
    }
  }

  /// Takes out a part of a larger value, and adds it to what is counted of that.
  private mutating func add(
    _ index: Int, keyLength: Int, _ depth: Int, to whole: inout Part
  ) throws(PickleProblem) -> PickleValue<PickledTensor> {
    let part = try freeze(index, depth: depth + 1)
    whole.height = max(whole.height, part.height + 1)
    whole.count += part.count
    whole.reach = max(whole.reach, part.reach + keyLength)
    guard depth + whole.height <= PickleReader.maximumDepth else {
      throw .tooDeep(limit: PickleReader.maximumDepth)
    }
    guard whole.count <= PickleReader.maximumObjects else {
      throw .expandsTooFar(limit: PickleReader.maximumObjects)
    }
    guard whole.reach <= PickleReader.maximumKeyLength else {
      throw .keyTooLong(limit: PickleReader.maximumKeyLength)
    }
    return part.value
  }
}
