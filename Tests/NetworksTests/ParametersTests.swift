import ResidualNetworks
import Testing

/// Counts of the paper's Table 6, worked out exactly for option A.
@Suite struct ParametersTests {
  private func summary(_ name: String, _ shortcut: Shortcut = .padding(.end)) throws
    -> NetworkSummary
  {
    try NetworkSummary(NetworkCatalog.network(named: name, variant: .init(shortcut)))
  }

  @Test(arguments: [
    (20, 269_722, 40.6), (32, 464_154, 68.9), (44, 658_586, 97.2), (56, 853_018, 125.5),
    (110, 1_727_962, 252.9), (1202, 19_421_274, 2829),
  ])
  func optionA(depth: Int, parameters: Int, millionMultiplyAdds: Double) throws {
    for shortcut in [Shortcut.padding(.end), .padding(.both)] {
      let summary = try summary("cifar-resnet\(depth)", shortcut)
      #expect(summary.parameters == parameters)
      let tolerance = millionMultiplyAdds > 1000 ? 0.5 : 0.05
      #expect(abs(Double(summary.multiplyAdds) / 1e6 - millionMultiplyAdds) <= tolerance)
    }
    #expect(try self.summary("cifar-plain\(depth)").parameters == parameters)
  }

  /// torchvision's counts; with the stride on the 1×1 convolution the paper's, which Table 1 gives
  /// as 1.8, 3.6, 3.8, 7.6 and 11.3 billion.
  @Test(arguments: [
    (18, 11_689_512, 1_814_073_344, 1_814_073_344), (34, 21_797_672, 3_663_761_408, 3_663_761_408),
    (50, 25_557_032, 4_089_184_256, 3_857_973_248), (101, 44_549_160, 7_801_405_440, 7_570_194_432),
    (152, 60_192_808, 11_513_626_624, 11_282_415_616),
  ])
  func imageNet(depth: Int, parameters: Int, multiplyAdds: Int, ofThePaper: Int) throws {
    let torchvision = try NetworkSummary(NetworkCatalog.network(named: "resnet\(depth)"))
    #expect(torchvision.parameters == parameters && torchvision.multiplyAdds == multiplyAdds)
    let paper = try NetworkSummary(
      NetworkCatalog.network(named: "resnet\(depth)", variant: .init(stridePlacement: .first1x1)))
    #expect(paper.parameters == parameters && paper.multiplyAdds == ofThePaper)
    let sides = torchvision.rows.filter { $0.path.hasSuffix(".0.conv2") }.map(\.outputShape[1])
    #expect(sides == [56, 28, 14, 7])
  }

  /// Option A and plain networks have no projections: three fewer, and thirteen more with option C,
  /// as the paper counts them for 34 layers.
  @Test func shortcutsForImageNet() throws {
    func convolutions(_ name: String, _ shortcut: Shortcut?) throws -> Int {
      try NetworkSummary(NetworkCatalog.network(named: name, variant: .init(shortcut))).rows
        .count { $0.operation == "convolution" }
    }
    #expect(try convolutions("plain34", nil) == 33)
    #expect(try convolutions("resnet34", .padding(.end)) == 33)
    #expect(try convolutions("resnet34", .projection) == 36)
    #expect(try convolutions("resnet34", .projectionEverywhere) == 49)
    #expect(try convolutions("resnet50", .projection) == 53)
  }

  /// torchvision's published counts; GoogLeNet's with 5×5 filters by arithmetic on the paper's Table 1,
  /// taki0112's by arithmetic on its source. Of multiply-adds torchvision gives three decimals, and so
  /// does the paper of VGG: 15.3 billion without and 19.6 with the fully-connected layers.
  @Test(
    arguments: [
      ("vgg16", 138_357_544, 15_470_264_320), ("vgg16-bn", 138_365_992, 15_470_264_320),
      ("vgg19", 143_667_240, 19_632_062_464), ("vgg19-bn", 143_678_248, 19_632_062_464),
      ("googlenet", 7_005_832, 1_582_671_872), ("cifar-preact18", 2_799_114, 139_299_328),
      ("cifar-preact34", 5_329_866, 290_294_272), ("cifar-preact50", 9_551_370, 526_231_552),
      ("cifar-preact101", 18_790_666, 1_114_482_688),
      ("cifar-preact152", 26_402_314, 1_702_733_824),
    ] as [(String, Int, Int)])
  func rivals(name: String, parameters: Int, multiplyAdds: Int) throws {
    let summary = try NetworkSummary(NetworkCatalog.network(named: name))
    #expect(summary.parameters == parameters && summary.multiplyAdds == multiplyAdds)
    let convolutions = summary.rows.filter { $0.operation == "convolution" }
    if name == "vgg16" {
      #expect(convolutions.reduce(0) { $0 + $1.multiplyAdds } == 15_346_630_656)
    }
  }

  /// torchvision's GoogLeNet, without and with its auxiliary classifiers.
  @Test func inception() throws {
    let network = try NetworkCatalog.network(
      named: "googlenet", variant: .init(inceptionBranch: .three))
    let summary = try NetworkSummary(network)
    #expect(summary.parameters == 6_624_904 && summary.multiplyAdds == 1_498_376_192)
    let trained = network.slots.filter { $0.role == .parameter }
    #expect(trained.reduce(0) { $0 + $1.shape.count } == 13_004_888)
  }

  /// A gate adds a 1×1 convolution with bias to each block.
  @Test func gates() throws {
    let gates =
      3 * (16 * 16 + 16) + (16 * 32 + 32) + 2 * (32 * 32 + 32) + (32 * 64 + 64)
      + 2 * (64 * 64 + 64)
    #expect(try summary("cifar-highway20").parameters == 269_722 + gates)
    #expect(try summary("cifar-single20").parameters == 269_722)
  }

  @Test func projections() throws {
    #expect(try summary("cifar-resnet20", .projection).parameters == 272_474)
    #expect(try summary("cifar-resnet20", .projectionEverywhere).parameters == 283_962)
  }

  @Test func linearClassifier() throws {
    let summary = try summary("cifar-linear")
    #expect(summary.parameters == 30_720 && summary.multiplyAdds == 30_720)
    #expect(summary.rows.last?.outputShape == [1, 10])
  }

  @Test func rowsOfTheSummary() throws {
    let rows = try summary("cifar-resnet20").rows
    let first = try #require(rows.first)
    #expect(first.path == "conv1" && first.operation == "convolution")
    #expect(first.outputShape == [1, 32, 32, 16])
    #expect(first.parameters == 432 && first.multiplyAdds == 442_368)
    let last = try #require(rows.last)
    #expect(last.path == "fc" && last.outputShape == [1, 10] && last.parameters == 10)
    let strided = try #require(rows.first { $0.path == "layer3.0.conv1" })
    #expect(strided.outputShape == [1, 8, 8, 64])
    #expect(rows.count { $0.operation == "convolution" } == 19)
  }

  @Test func classesAndDepth() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet20", classes: 7)
    #expect(network.depth == 20 && network.classes == 7 && network.inputSide == 32)
    #expect(try NetworkSummary(network).parameters == 269_722 - 3 * 65)
    #expect(network.imagesShape(batch: 5) == [5, 32, 32, 3])
  }
}
