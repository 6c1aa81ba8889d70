"""The commands. The only file that prints; exit codes: 0 approved or done, 1 rejected, 2 bad input
or failure, 3 insufficient evidence, 130 interrupted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.errors import HarnessError

KINDS = ("datasets", "families", "gates", "metrics", "quantize", "sections")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"harness: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nharness: interrupted; the same command goes on from here.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harness",
        description="Tells whether a quantized ONNX speech model may replace the original.",
    )
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    run = commands.add_parser("run", help="measure an experiment, decide, write its report")
    run.add_argument("experiment", type=Path, help="a YAML file")
    run.add_argument("--out", type=Path, help="the run's folder (default: reports/<name>)")
    run.add_argument("--fresh", action="store_true", help="measure all of it again")
    run.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 whatever the verdict (2 for failures)"
    )
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="render a run's stored tables again")
    report.add_argument("folder", type=Path, help="a run's folder, reports/<name>")
    report.add_argument("--language", choices=("en", "es"), help="instead of the experiment's")
    report.set_defaults(command=_report)

    check = commands.add_parser("check", help="read an experiment and say what is wrong with it")
    check.add_argument("experiment", type=Path, nargs="+", help="YAML files")
    check.set_defaults(command=_check)

    listing = commands.add_parser("list", help="what there is to choose from")
    listing.add_argument("kind", choices=KINDS)
    listing.set_defaults(command=_list)

    cached = commands.add_parser(
        "assets", help="models and data in the cache: size, source, licence"
    )
    cached.set_defaults(command=_assets)

    schema = commands.add_parser("schema", help="the JSON schema of an experiment, for editors")
    schema.set_defaults(command=_schema)
    return parser


def _run(options: argparse.Namespace) -> int:
    from harness import api
    from harness.progress import Progress

    progress = Progress(sys.stderr)
    try:
        result = api.run(options.experiment, options.out, fresh=options.fresh, tell=progress)
    finally:
        progress.close()
    verdict = result.verdict
    print(f"{verdict['verdict']}: {api.report_path(result.folder)}")
    for reason in verdict["reasons"]:
        print(f"  {reason}")
    return 0 if options.exit_zero else int(verdict["exit_code"])


def _report(options: argparse.Namespace) -> int:
    from harness import api

    print(api.render(options.folder, options.language))
    return 0


def _check(options: argparse.Namespace) -> int:
    from harness import spec

    wrong = 0
    for path in options.experiment:
        try:
            spec.load(path)
            print(f"{path}: in order")
        except HarnessError as error:
            wrong += 1
            print(error, file=sys.stderr)
    return 2 if wrong else 0


def _list(options: argparse.Namespace) -> int:
    from harness import plugins

    for name in plugins.names(options.kind):
        print(f"{name:20} {plugins.docline(options.kind, name)}")
    return 0


def _assets(_: argparse.Namespace) -> int:
    from harness import assets

    print(assets.cache_folder())
    for row in assets.cached():
        size = "not here" if not row["bytes"] else f"{row['bytes'] / 1e6:8.1f} MB"
        print(f"{row['name']:20} {size:>12}  {row['licence']:14} {row['source']}")
    return 0


def _schema(_: argparse.Namespace) -> int:
    import json

    from harness import spec

    print(json.dumps(spec.schema(), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
