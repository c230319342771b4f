import Residual

func classify(_ photo: String, with model: String) throws {
  let classifier = try Classifier(at: model)
  for guess in try classifier.classify(imageAt: photo, top: 3) {
    print(guess.name, guess.probability)
  }
}

func train(on images: ImageSet, named classNames: [String], to file: String) throws {
  var options = RecipeOptions()
  (options.model, options.steps, options.batchSize) = ("cifar-resnet8", 200, 16)
  let data = Dataset(name: "mine", classNames: classNames, training: images)
  let learner = try Learner(options, on: data, device: CPUDevice())
  while let epoch = try learner.trainEpoch() { print(epoch.epoch, epoch.trainingLoss) }
  try learner.computeExactStatistics()
  try learner.model().write(to: file)
}
