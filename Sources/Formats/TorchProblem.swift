import ResidualTensors

/// A checkpoint of PyTorch that cannot be read or written, and why.
public typealias TorchError = FormatError<TorchProblem>

/// What can be wrong with a checkpoint of PyTorch. Offsets count from the start of the file.
public enum TorchProblem: Error, Equatable, Sendable, CustomStringConvertible {
  // The frame.
  case notTorch
  case plainPickle
  case oldTar
  case zip(ZIPProblem)
  case pickle(PickleProblem)

  // The archive.
  case noFolder(String)
  case severalFolders(count: Int)
  case torchScript
  case noPickle
  case noVersion
  case unknownVersion(Int?)
  case bigEndian
  case bytesBehindPickle(offset: Int)

  // The stream.
  case unknownStream
  case wrongKeys
  case unknownStorage(String)
  case duplicateStorage(String)
  case wrongStorageCount(String, expected: Int64, found: Int64)
  case truncatedStorage(String, available: Int)
  case bytesBehindStorages(offset: Int)

  // The storages and tensors.
  case missingStorage(String, tensor: String)
  case storagesDiffer(String, tensor: String)
  case wrongStorageSize(String, count: Int64, type: ElementType, found: Int)
  case viewBeyondStorage(tensor: String, storage: String)
  case wrongShape(tensor: String, extents: [Int64], strides: [Int64])
  case sizeOverflow(tensor: String, extents: [Int])
  /// `last` is `nil` if the place exceeds `Int`.
  case beyondStorage(tensor: String, storage: String, last: Int?, count: Int)
  case tooManyElements(tensor: String, limit: Int)
  case tooManyTensors(limit: Int)

  // What the caller asks for.
  case notConvertible(tensor: String, type: ElementType, to: ElementType)

  public var description: String {
    switch self {
    // Their own remedies fit.
    case .zip(let problem): problem.description
    case .pickle(let problem): problem.description
    default: "\(cause); \(remedy)"
    }
  }

  private var cause: String {
    switch self {
    case .zip, .pickle: ""
    case .notTorch:
      "not a checkpoint of PyTorch; it starts neither as a ZIP archive nor as a pickle"
    case .plainPickle: "the file is a pickle, but was not made by torch.save"
    case .oldTar: "the file is a tar archive, as PyTorch 0.1 made them"
    case .noFolder(let name):
      "the entry \(quoted(name)) lies in no folder, as those of torch.save do"
    case .severalFolders(let count): "the archive has \(count) folders, not the one of torch.save"
    case .torchScript: "the file is a TorchScript program, not a state dict"
    case .noPickle: "the archive has no data.pkl, which checkpoints of PyTorch have"
    case .noVersion: "the archive has no entry version, which checkpoints of PyTorch have"
    case .unknownVersion(let number):
      "the archive is of the version \(number.map(String.init) ?? "(no number)"), "
        + "and those from 1 to 10 are read"
    case .bigEndian: "the numbers of the file are big-endian"
    case .bytesBehindPickle(let offset): "data.pkl goes on behind its pickle, at byte \(offset)"
    case .unknownStream: "the head of the file is not that of version 1001"
    case .wrongKeys: "the list of storages is not a list of texts"
    case .unknownStorage(let key): "no tensor describes the storage \(quoted(key))"
    case .duplicateStorage(let key): "the storage \(quoted(key)) occurs twice"
    case .wrongStorageCount(let key, let expected, let found):
      "the storage \(quoted(key)) has \(found) elements, and its tensors say \(expected)"
    case .truncatedStorage(let key, let available):
      "the file ends inside the storage \(quoted(key)), \(available) bytes after its start"
    case .bytesBehindStorages(let offset):
      "the file goes on behind its last storage, at byte \(offset)"
    case .missingStorage(let key, let tensor):
      "the storage \(quoted(key)) of tensor \(quoted(tensor)) is not in the file"
    case .storagesDiffer(let key, let tensor):
      "tensor \(quoted(tensor)) describes the storage \(quoted(key)) otherwise than another tensor"
    case .wrongStorageSize(let key, let count, let type, let found):
      "the storage \(quoted(key)) of \(count) elements of \(type.rawValue) has \(found) bytes"
    case .viewBeyondStorage(let tensor, let storage):
      "the part of the storage \(quoted(storage)) for tensor \(quoted(tensor)) is not within it"
    case .wrongShape(let tensor, let extents, let strides):
      "tensor \(quoted(tensor)) has the extents \(extents) and the strides \(strides), "
        + "which do not fit"
    case .sizeOverflow(let tensor, let extents):
      "tensor \(quoted(tensor)) of shape \(extents) is larger than any memory"
    case .beyondStorage(let tensor, let storage, let last, let count):
      "tensor \(quoted(tensor)) reaches element \(last.map(String.init) ?? "beyond any memory") of "
        + "the storage \(quoted(storage)), which has \(count)"
    case .tooManyElements(let tensor, let limit):
      "the tensors up to \(quoted(tensor)) have more than \(limit) elements, far more than the file"
    case .tooManyTensors(let limit): "the file has more than \(limit) tensors"
    case .notConvertible(let tensor, let type, let wanted):
      "tensor \(quoted(tensor)) has elements of type \(type.rawValue), "
        + "which do not become \(wanted.rawValue)"
    }
  }

  private var remedy: String {
    switch self {
    case .truncatedStorage, .missingStorage: "the file is cut off: fetch or save it again"
    case .notTorch: "check that this is a file of torch.save"
    case .torchScript: "load it with torch.jit.load and save its state_dict() with torch.save"
    case .oldTar: "load it with PyTorch and save it again"
    case .bigEndian: "save it on a little-endian machine"
    case .notConvertible: "read it as float32"
    default: "save the state dict again with torch.save"
    }
  }
}
