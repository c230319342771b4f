import Foundation

/// An error whose `localizedDescription` is its description: one line that names the file, the place and
/// the mend.
public protocol DescribedError: LocalizedError, CustomStringConvertible {}

extension DescribedError {
  public var errorDescription: String? { description }
}

extension AllocationError: DescribedError {}
extension CheckpointError: DescribedError {}
extension DatasetError: DescribedError {}
extension DeviceUnavailable: DescribedError {}
extension Divergence: DescribedError {}
extension FormatError: DescribedError {}
extension FreezingError: DescribedError {}
extension HubFolder.Unsupported: DescribedError {}
extension ImageError: DescribedError {}
extension InstructionSetError: DescribedError {}
extension MemoryLimitError: DescribedError {}
extension ModelFileError: DescribedError {}
extension NetworkNameError: DescribedError {}
extension ONNXExportError: DescribedError {}
extension RecipeError: DescribedError {}
extension ShapeError: DescribedError {}
extension WeightsError: DescribedError {}
