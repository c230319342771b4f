// Everything that a program needs to build, train, open and run networks.

@_exported import ResidualCPU
@_exported import ResidualCUDA
@_exported import ResidualReference
@_exported import ResidualRuns

extension Classifier {
  /// Opens a model of this package, or weights from elsewhere, on the processor.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - options: what weights from elsewhere do not say of themselves.
  ///   - network: see ``OpenedModel/init(at:_:network:)``.
  ///   - batchSize: images that are classified at once.
  /// - Throws: what `OpenedModel` throws, ``DeviceUnavailable``, ``ShapeError``, ``AllocationError``.
  public convenience init(
    at path: String, _ options: WeightsOptions = .init(), network: Network? = nil,
    batchSize: Int = 1
  ) throws {
    try self.init(
      OpenedModel(at: path, options, network: network).model, device: CPUDevice(),
      batchSize: batchSize)
  }
}
