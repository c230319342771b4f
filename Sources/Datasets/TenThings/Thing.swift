import ResidualTensors

extension TenThings {
  /// The classes, in order of their labels. Each one's shape is in a file of its name.
  enum Thing: Int, CaseIterable {
    case fish, bird, cat, rabbit, house, car, sailboat, mushroom, umbrella, flower

    static let count = allCases.count

    init(label: Int) {
      guard let thing = Thing(rawValue: label) else {
        preconditionFailure("label \(label) is not one of 0 to \(Thing.count - 1)")
      }
      self = thing
    }

    /// What half the pictures have, more or less: the background, and the colours of the body and of
    /// what goes with it.
    var typical: (habitat: Habitat, body: Color, second: Color) {
      switch self {
      case .fish: (.water, Color(0.98, 0.62, 0.20), Color(0.60, 0.80, 0.95))
      case .bird: (.duskSky, Color(0.90, 0.45, 0.40), Color(0.98, 0.80, 0.25))
      case .cat: (.room, Color(0.80, 0.62, 0.42), Color(0.95, 0.60, 0.60))
      case .rabbit: (.meadow, Color(0.92, 0.88, 0.86), Color(0.98, 0.65, 0.70))
      case .house: (.street, Color(0.90, 0.80, 0.55), Color(0.85, 0.30, 0.25))
      case .car: (.street, Color(0.85, 0.85, 0.30), Color(0.55, 0.80, 0.95))
      case .sailboat: (.water, Color(0.92, 0.94, 0.98), Color(0.95, 0.90, 0.50))
      case .mushroom: (.meadow, Color(0.95, 0.35, 0.30), Color(0.95, 0.92, 0.80))
      case .umbrella: (.duskSky, Color(0.80, 0.45, 0.90), Color(0.95, 0.80, 0.95))
      case .flower: (.meadow, Color(0.98, 0.75, 0.85), Color(0.95, 0.85, 0.25))
      }
    }

    /// Paints a thing of this class, of random proportions, in the canvas's present frame.
    ///
    /// Coordinates in the painters are those of an upright thing of about 2 × 2 units round (0, 0),
    /// y downwards; what is painted later lies in front.
    func paint(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
      switch self {
      case .fish: paintFish(on: canvas, in: colors, &random)
      case .bird: paintBird(on: canvas, in: colors, &random)
      case .cat: paintCat(on: canvas, in: colors, &random)
      case .rabbit: paintRabbit(on: canvas, in: colors, &random)
      case .house: paintHouse(on: canvas, in: colors, &random)
      case .car: paintCar(on: canvas, in: colors, &random)
      case .sailboat: paintSailboat(on: canvas, in: colors, &random)
      case .mushroom: paintMushroom(on: canvas, in: colors, &random)
      case .umbrella: paintUmbrella(on: canvas, in: colors, &random)
      case .flower: paintFlower(on: canvas, in: colors, &random)
      }
    }
  }

  /// A background that things are found on.
  enum Habitat {
    case water, duskSky, meadow, street, room

    var color: Color {
      switch self {
      case .water: Color(0.06, 0.28, 0.52)
      case .duskSky: Color(0.28, 0.42, 0.62)
      case .meadow: Color(0.16, 0.38, 0.10)
      case .street: Color(0.34, 0.32, 0.33)
      case .room: Color(0.46, 0.26, 0.14)
      }
    }
  }
}
