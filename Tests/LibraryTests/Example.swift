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
  let trainer = try Trainer(options, on: data, device: CPUDevice())
  while let epoch = try trainer.trainEpoch() { print(epoch.epoch, epoch.trainingLoss) }
  try trainer.computeExactStatistics()
  try trainer.model().write(to: file)
}
