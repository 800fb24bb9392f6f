"""Validates what `jwtauth lint --format sarif` prints about each case of tests/lint against the schema of SARIF 2.1.0.

    validate.py PROGRAM
"""

import json
import subprocess
import sys
from pathlib import Path

import fastjsonschema

HERE = Path(__file__).parent
CASES = HERE.parent / "lint"


def main(program: str) -> None:
    validate = fastjsonschema.compile(json.loads((HERE / "sarif-schema-2.1.0.json").read_text()))
    results = 0
    cases = sorted([*CASES.glob("*.json"), *CASES.glob("*.ini")])
    for case in cases:
        command = [program, "lint", "--format", "sarif", "--fail-on", "never", "--config", str(case)]
        log = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        validate(log)
        results += len(log["runs"][0]["results"])
    # The check is checked too: a log with an unknown level is refused.
    log["runs"][0]["results"][0]["level"] = "bad"
    try:
        validate(log)
    except fastjsonschema.JsonSchemaException:
        print(f"sarif: {results} results of {len(cases)} cases are valid")
    else:
        sys.exit("error: the schema accepts an unknown level")


main(sys.argv[1])
