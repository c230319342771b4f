#!/usr/bin/env python3
"""Makes one module of the library's modules, as programs see it: merge-symbols.py FOLDER OUTPUT

Reads symbol graphs, writes the graph of one module Residual, and lists public symbols without a comment.
If there are any, it fails.
"""
import json
import pathlib
import sys

# What the compiler generates, and what only conforms to a protocol.
DERIVED = {"==(_:_:)", "!=(_:_:)", "hash(into:)", "hashValue", "encode(to:)", "init(from:)", "description",
           "init(rawValue:)", "rawValue", "allCases", "id", "errorDescription", "body", "init(intValue:)",
           "init(stringValue:)", "intValue", "stringValue", "localizedDescription", "init(arrayLiteral:)",
           "init(integerLiteral:)", "debugDescription", "customMirror", "<(_:_:)", "next()"}


def main():
    folder, output = map(pathlib.Path, sys.argv[1:])
    symbols, relationships, result = {}, [], None
    for path in sorted(folder.glob("*.symbols.json")):
        if path.stem.endswith("@Swift.symbols"):
            continue
        graph = json.loads(path.read_text())
        result = result or graph
        for symbol in graph["symbols"]:
            symbols.setdefault(symbol["identifier"]["precise"], symbol)
        relationships += graph["relationships"]
    result["module"]["name"] = "Residual"
    result["symbols"] = list(symbols.values())
    result["relationships"] = relationships
    output.mkdir(parents=True, exist_ok=True)
    (output / "Residual.symbols.json").write_text(json.dumps(result))

    requirements = {symbols[r["source"]]["pathComponents"][-1] for r in relationships
                    if r["kind"] in ("requirementOf", "optionalRequirementOf") and r["source"] in symbols}
    missing = sorted(
        ".".join(s["pathComponents"]) for s in symbols.values()
        if "docComment" not in s and s["pathComponents"][-1] not in DERIVED | requirements
        and not s["identifier"]["precise"].count("::SYNTHESIZED::")
        # Most are operations, which their types explain, and errors, which their descriptions do.
        and s["kind"]["identifier"] != "swift.enum.case")
    for name in missing:
        print(f"no comment: {name}", file=sys.stderr)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
