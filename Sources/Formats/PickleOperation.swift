/// The operations of pickles that ``PickleMachine`` carries out, by their byte.
enum PickleOperation: UInt8 {
  case proto = 0x80
  case frame = 0x95
  case stop = 0x2E  // .
  case mark = 0x28  // (

  case none = 0x4E  // N
  case newTrue = 0x88
  case newFalse = 0x89
  case binInt = 0x4A  // J
  case binInt1 = 0x4B  // K
  case binInt2 = 0x4D  // M
  case long1 = 0x8A
  case long4 = 0x8B
  case binFloat = 0x47  // G

  case shortBinString = 0x55  // U
  case binString = 0x54  // T
  case shortBinUnicode = 0x8C
  case binUnicode = 0x58  // X
  case binUnicode8 = 0x8D
  case shortBinBytes = 0x43  // C
  case binBytes = 0x42  // B
  case binBytes8 = 0x8E

  case emptyTuple = 0x29  // )
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case tuple = 0x74  // t
  case emptyList = 0x5D  // ]
  case append = 0x61  // a
  case appends = 0x65  // e
  case emptyDict = 0x7D  // }
  case setItem = 0x73  // s
  case setItems = 0x75  // u

  case binPut = 0x71  // q
  case longBinPut = 0x72  // r
  case memoize = 0x94
  case binGet = 0x68  // h
  case longBinGet = 0x6A  // j

  case global = 0x63  // c
  case stackGlobal = 0x93
  case reduce = 0x52  // R
  case newObj = 0x81
  case build = 0x62  // b
  case binPersID = 0x51  // Q

  /// The operation's name in Python's documentation.
  var name: String {
    var result = ""
    for character in "\(self)" {
      if character.isUppercase, !result.hasSuffix("_") { result += "_" }
      result += character.uppercased()
    }
    return Self.names[self] ?? result
  }

  /// Names that do not follow from those of the cases.
  private static let names: [PickleOperation: String] = [
    .newTrue: "NEWTRUE", .newFalse: "NEWFALSE", .binInt: "BININT", .binInt1: "BININT1",
    .binInt2: "BININT2", .binFloat: "BINFLOAT", .shortBinString: "SHORT_BINSTRING",
    .binString: "BINSTRING", .shortBinUnicode: "SHORT_BINUNICODE", .binUnicode: "BINUNICODE",
    .binUnicode8: "BINUNICODE8", .shortBinBytes: "SHORT_BINBYTES", .binBytes: "BINBYTES",
    .binBytes8: "BINBYTES8", .setItem: "SETITEM", .setItems: "SETITEMS", .binPut: "BINPUT",
    .longBinPut: "LONG_BINPUT", .binGet: "BINGET", .longBinGet: "LONG_BINGET",
    .newObj: "NEWOBJ", .binPersID: "BINPERSID",
  ]

  /// Operations of Python that are never carried out, by their byte.
  static let refused: [UInt8: String] = [
    UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", UInt8(ascii: "P"): "PERSID",
    0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x92: "NEWOBJ_EX",
    UInt8(ascii: "0"): "POP", UInt8(ascii: "1"): "POP_MARK", UInt8(ascii: "2"): "DUP",
    UInt8(ascii: "I"): "INT", UInt8(ascii: "L"): "LONG", UInt8(ascii: "F"): "FLOAT",
    UInt8(ascii: "S"): "STRING", UInt8(ascii: "V"): "UNICODE", UInt8(ascii: "l"): "LIST",
    UInt8(ascii: "d"): "DICT", UInt8(ascii: "p"): "PUT", UInt8(ascii: "g"): "GET",
    0x8F: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET", 0x96: "BYTEARRAY8",
    0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
  ]
}
