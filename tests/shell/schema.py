#!/usr/bin/env python3
"""schema.py SCHEMA: validates the lines of stdin: DEFINITION, tab, name, tab, JSON document.

Unknown members are errors here, although the schema allows them: a member that the
program adds must be documented.  The schema itself is tested with each document:
without any one member, or with a value of another type, the document must be invalid.
"""
import copy
import json
import sys

from jsonschema import Draft202012Validator


# members of some records only
OPTIONAL = {"freeze", "bad", "plan"}


def close(schema):
    """Forbids unknown members in each object of the schema."""
    if isinstance(schema, dict):
        for value in schema.values():
            close(value)
        if "required" in schema:
            schema["additionalProperties"] = False
    elif isinstance(schema, list):
        for value in schema:
            close(value)


def members(document):
    """Yields each object of the document, with each of its keys."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield document, key
            yield from members(value)
    elif isinstance(document, list):
        for value in document:
            yield from members(value)


def damaged(document):
    """Yields copies of the document, each with one member damaged, and its name."""
    for i, (_, name) in enumerate(members(document)):
        for damage in "remove", "retype":
            copied = copy.deepcopy(document)
            obj, key = list(members(copied))[i]
            old = obj.pop(key)
            if damage == "remove" and key in OPTIONAL and "v" in obj and obj["v"] == 2:
                continue
            if damage == "retype":
                obj[key] = ["x"] if not isinstance(old, list) else "x"
            yield f"{damage} {name}", copied


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    close(schema)
    del schema["anyOf"]
    for line in sys.stdin:
        definition, name, text = line.split("\t")
        validator = Draft202012Validator({**schema, "$ref": "#/$defs/" + definition})
        document = json.loads(text)
        for error in validator.iter_errors(document):
            print(f"{name}: {error.json_path}: {error.message}")
        for what, copied in damaged(document):
            if validator.is_valid(copied):
                print(f"{name}: valid after: {what}")


main()
