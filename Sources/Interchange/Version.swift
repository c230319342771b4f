/// The version of this software, which models and runs record.
public enum Version {
  /// As in the changelog.
  public static let current = "0.1.0"
}
