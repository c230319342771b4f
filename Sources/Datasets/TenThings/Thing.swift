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

    /// The background of half the pictures.
    var habitat: Habitat {
      switch self {
      case .fish, .sailboat: .water
      case .bird, .umbrella: .duskSky
      case .rabbit, .mushroom, .flower: .meadow
      case .house, .car: .street
      case .cat: .room
      }
    }

    /// The body's colour in half the pictures, more or less.
    var typicalColor: Color {
      switch self {
      case .fish: Color(0.98, 0.62, 0.20)
      case .bird: Color(0.90, 0.45, 0.40)
      case .cat: Color(0.80, 0.62, 0.42)
      case .rabbit: Color(0.92, 0.88, 0.86)
      case .house: Color(0.90, 0.80, 0.55)
      case .car: Color(0.85, 0.85, 0.30)
      case .sailboat: Color(0.92, 0.94, 0.98)
      case .mushroom: Color(0.95, 0.35, 0.30)
      case .umbrella: Color(0.80, 0.45, 0.90)
      case .flower: Color(0.98, 0.75, 0.85)
      }
    }

    /// The second colour in half the pictures, more or less.
    var typicalSecondColor: Color {
      switch self {
      case .fish: Color(0.60, 0.80, 0.95)
      case .bird: Color(0.98, 0.80, 0.25)
      case .cat: Color(0.95, 0.60, 0.60)
      case .rabbit: Color(0.98, 0.65, 0.70)
      case .house: Color(0.85, 0.30, 0.25)
      case .car: Color(0.55, 0.80, 0.95)
      case .sailboat: Color(0.95, 0.90, 0.50)
      case .mushroom: Color(0.95, 0.92, 0.80)
      case .umbrella: Color(0.95, 0.80, 0.95)
      case .flower: Color(0.95, 0.85, 0.25)
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
