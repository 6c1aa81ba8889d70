"""The commands. The only file that prints; exit codes: 0 approved or done, 1 rejected or (compare)
worse, 2 bad input or failure, 3 insufficient evidence, 130 interrupted, 128 + n ended by signal n.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from harness import __version__
from harness.app import exits
from harness.errors import HarnessError, faults
from harness.io.escaping.signs import printed as print  # what others wrote steers no terminal
from harness.io.escaping.signs import terminal

KINDS = (
    "datasets",
    "exports",
    "families",
    "figures",
    "gates",
    "judges",
    "metrics",
    "quantize",
    "sections",
)
LANGUAGE = "en, es, pt ... or a file of your own (./ca.yaml)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    with exits.guarded():
        options = _parser().parse_args(arguments)
        return exits.leave(lambda: options.command(options))


def entry() -> NoReturn:
    """`harness` in a process of its own."""
    try:
        code = main()
    except SystemExit as asked:  # argparse: 0 after --help, 2 for what it does not know
        code = asked.code if isinstance(asked.code, int) else 2
    exits.end(code)


class _Parser(argparse.ArgumentParser):
    """Shows arguments that it does not know: `harness check *.yaml` takes names from a folder."""

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(terminal(message), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="harness",
        description="Tells whether a quantized ONNX speech model may replace the original.",
    )
    parser.add_argument("--version", action="version", version=f"harness {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    _add_init(commands)

    run = commands.add_parser("run", help="measure an experiment, decide, write its report")
    run.add_argument("experiment", type=_path, help="a YAML file")
    run.add_argument("--out", type=_path, help="the run's folder (default: reports/<name>)")
    run.add_argument("--fresh", action="store_true", help="measure all of it again")
    run.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 whatever the verdict (2 for failures)"
    )
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="render a run's stored tables again")
    report.add_argument("folder", type=_path, help="a run's folder, reports/<name>")
    report.add_argument("--language", help=LANGUAGE)
    report.set_defaults(command=_report)

    _add_comparing(commands)

    check = commands.add_parser("check", help="what is wrong with an experiment, what it decides")
    check.add_argument("experiment", type=_path, nargs="+", help="YAML files")
    check.add_argument(
        "--call-seconds", type=_seconds, default=float("nan"), help="what a call takes"
    )
    check.set_defaults(command=_check)

    listing = commands.add_parser("list", help="what there is to choose from")
    listing.add_argument("kind", choices=(*KINDS, "languages"))
    listing.set_defaults(command=_list)

    cached = commands.add_parser(
        "assets", help="models and data in the cache: size, source, licence"
    )
    cached.set_defaults(command=_assets)

    doctor = commands.add_parser("doctor", help="what on this machine disturbs a measurement")
    doctor.add_argument("experiment", type=_path, nargs="*", help="YAML files to look at as well")
    doctor.add_argument("--strict", action="store_true", help="exit with 1 if there is a warning")
    doctor.set_defaults(command=_doctor)

    schema = commands.add_parser("schema", help="the JSON schema of an experiment, for editors")
    schema.set_defaults(command=_schema)
    return parser


def _add_init(commands: Any) -> None:
    init = commands.add_parser("init", help="look at a model and write an experiment for it")
    init.add_argument("model", type=_path, help="an .onnx file, or a model's folder")
    init.add_argument(
        "--data", type=_path, metavar="FOLDER", help="speech or sentences (default: the sample)"
    )
    init.add_argument("--language", default="", help="what is heard or said: es, en ...")
    init.add_argument("--family", default="", metavar="NAME", help="a family, or a ./file.py")
    init.add_argument("--out", type=_path, metavar="FILE", help="the experiment's YAML file")
    init.add_argument("--force", action="store_true", help="replace the file if it is there")
    init.set_defaults(command=_init)


def _add_comparing(commands: Any) -> None:
    """The commands over several runs."""
    compare = commands.add_parser(
        "compare", help="what changed between two runs (exit code 1: something got worse)"
    )
    compare.add_argument("before", type=_path, help="a run's folder, reports/<name>")
    compare.add_argument("after", type=_path, help="another run's")
    compare.add_argument("--force", action="store_true", help="also unlike runs; marks the result")
    compare.add_argument(
        "--no-control",
        dest="control",
        action="store_false",
        help="take times as they are: the machine has not changed (else: over the baseline's)",
    )
    compare.add_argument("--all", action="store_true", help="also rows that no data could decide")
    compare.add_argument("--markdown", type=_path, metavar="FILE", help="write it there as well")
    compare.add_argument("--language", help=LANGUAGE)
    compare.set_defaults(command=_compare)

    export = commands.add_parser("export", help="a run's verdict and gates for another tool")
    export.add_argument("folder", type=_path, help="a run's folder, reports/<name>")
    export.add_argument(
        "--to", required=True, metavar="NAME", help="such as junit; or a file of your own, ./x.py"
    )
    export.add_argument(
        "--out", type=_path, metavar="FILE", help="write it there (default: RUN.xml)"
    )
    export.set_defaults(command=_export)

    past = commands.add_parser("history", help="all runs of a folder, or a metric over them")
    past.add_argument("folder", type=_path, help="a run's folder, reports/<name>")
    past.add_argument("--metric", help="its figures in each run, such as wer")
    past.add_argument("--plot", type=_path, metavar="FILE", help="draw the metric over the runs")
    past.add_argument("--language", default="en", help="of the figure: " + LANGUAGE)
    past.set_defaults(command=_history)


def _init(options: argparse.Namespace) -> int:
    import shlex

    from harness.app.init import init
    from harness.preflight.starting import Wish

    wish = Wish(options.data, options.language, options.family)
    draft = init(options.model, wish, options.out, options.force)
    print("\n".join(draft.told))
    out = shlex.quote(str(draft.out))
    if draft.lacking:
        print(f"{draft.out}: written, but for one thing: {draft.lacking}", file=sys.stderr)
        return exits.Decided(2)
    print(f"wrote {draft.out}; next: harness check {out}")
    return exits.DONE


def _run(options: argparse.Namespace) -> int:
    from harness.app import api
    from harness.app.progress import Progress

    progress = Progress(sys.stderr)
    try:
        result = api.run(options.experiment, options.out, fresh=options.fresh, tell=progress)
    finally:
        progress.close()
    verdict, code = result.verdict, exits.of_run(result.folder)
    print(f"{verdict['verdict']}: {api.report_path(result.folder)}")
    for reason in verdict["reasons"]:
        print(f"  {reason}")
    return exits.DONE if options.exit_zero else code


def _report(options: argparse.Namespace) -> int:
    from harness.app import api

    print(api.render(options.folder, options.language))
    return exits.DONE


def _compare(options: argparse.Namespace) -> int:
    from harness import store
    from harness.app import api
    from harness.decide.comparison import CompareOptions
    from harness.report import words
    from harness.report.comparison import writing

    how = CompareOptions(force=options.force, control=options.control)
    found = api.compare(options.before, options.after, how)
    printed = words.ENGLISH if options.language is None else options.language
    with words.speaking(printed):
        print(writing.plain(found, printed, options.all))
    if options.markdown:
        text = _compared(found, options)
        sign = writing.SIGN.encode()  # what tells our file from another one
        store.write_outside(options.markdown, text.encode() + sign, sign)
    return exits.Decided(found.exit_code)


def _compared(found: Any, options: argparse.Namespace) -> str:
    """The comparison in the language asked for, else in that of the later run."""
    from harness.app import api
    from harness.report import words
    from harness.report.comparison import writing

    if options.language is None and found.language.endswith(words.ENDING):
        with api.speaking(api.load(options.after), None) as language:
            return writing.markdown(found, language, options.all)
    language = found.language if options.language is None else options.language
    with words.speaking(language):
        return writing.markdown(found, language, options.all)


def _history(options: argparse.Namespace) -> int:
    from harness.report import runs, words
    from harness.store import history

    entries = history.read(options.folder)
    if options.plot and options.metric is None:
        raise HarnessError("--plot draws one metric: say which with --metric.")
    metric = options.metric
    print("\n".join(runs.runs(entries) if metric is None else runs.over_runs(entries, metric)))
    if options.plot:
        from harness.report.drawing import history as figure

        with words.speaking(options.language):
            figure.draw(entries, metric, options.plot, options.language)
    return exits.DONE


def _export(options: argparse.Namespace) -> int:
    from harness.app import api

    print(api.export(options.folder, options.to, options.out))
    return exits.DONE


def _check(options: argparse.Namespace) -> int:
    from harness import plugins, spec

    wrong = 0
    for path in options.experiment:
        try:
            named = spec.own_files_of(path)
            _runs(path, named)
            with plugins.answering():
                _look(path, options.call_seconds, named)
        except HarnessError as error:
            wrong += 1
            print(faults.plainly(error), file=sys.stderr)
        except BrokenPipeError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  the other files are looked at too
            wrong += 1
            print(f"{path}: {faults.told(error)}", file=sys.stderr)
    return exits.Decided(2) if wrong else exits.DONE


def _runs(path: Path, files: Mapping[str, Path]) -> None:
    for name, file in files.items():
        print(f"{path}: runs {name}: {file}")


def _look(path: Path, call_seconds: float, named: Mapping[str, Path]) -> None:
    """Print what an experiment's plan decides. Raises: HarnessError for what is missing."""
    from harness import spec
    from harness.preflight import feasibility
    from harness.report import wording, words
    from harness.run import variants

    experiment = spec.load(path)
    locate = spec.locator(path)
    every = dict(spec.own_files(spec.to_json(experiment), locate))  # a metric names its judge
    _runs(path, {name: file for name, file in every.items() if name not in named})
    for name, file in dict(spec.scripts(spec.to_json(experiment), locate)).items():
        print(f"{path}: a run starts the script {name}: {file}")
    words.own(experiment.report.language, locate)
    if lines := [*variants.wrong(experiment, locate), *feasibility.missing(experiment, locate)]:
        raise HarnessError("\n".join(f"{path}: {line}" for line in lines))
    print(f"{path}: in order")
    folder = spec.results_folder(path, experiment.name)
    foreseen = feasibility.foresee(experiment, folder, locate, call_seconds)
    print("\n".join(foreseen.lines(wording.limit_of)))


def _path(text: str) -> Path:
    """A path that was written; an empty one, of a variable that is not set, would be this folder.

    Raises: argparse.ArgumentTypeError.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a file or a folder (. is this one)")
    return Path(text)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: must be a number of seconds above 0")
    return value


def _list(options: argparse.Namespace) -> int:
    from harness import plugins

    if options.kind == "languages":
        from harness.report import words

        for code in words.languages():
            print(f"{code:20} {words.of(code).name}")
        return exits.DONE
    for name in plugins.names(options.kind):
        print(f"{name:20} {plugins.docline(options.kind, name)}")
    return exits.DONE


def _assets(_: argparse.Namespace) -> int:
    from harness import assets

    print(assets.cache_folder())
    for row in assets.cached():
        size = "not here" if not row["bytes"] else f"{row['bytes'] / 1e6:8.1f} MB"
        print(f"{row['name']:20} {size:>12}  {row['licence']:14} {row['source']}")
    return exits.DONE


def _doctor(options: argparse.Namespace) -> int:
    import textwrap

    from harness import spec
    from harness.preflight import doctor

    experiments = [spec.load(path) for path in options.experiment]
    facts = doctor.gather()
    found = doctor.examine(facts, experiments)
    for finding in found:
        print(f"{finding.severity}: {finding.what}")
        for label, text in (("why", finding.why), ("do", finding.mend)):
            shown = textwrap.wrap(text, 88)
            print(f"   {label + ':':5}" + f"\n{'':8}".join(shown))
    print(doctor.steady(facts.trial))
    warnings = sum(finding.severity == "warning" for finding in found)
    print(f"warnings: {warnings}, notes: {len(found) - warnings}")
    return exits.Decided(1) if options.strict and warnings else exits.DONE


def _schema(_: argparse.Namespace) -> int:
    import json

    from harness import spec

    print(json.dumps(spec.schema(), indent=2, ensure_ascii=False))
    return exits.DONE


if __name__ == "__main__":
    entry()
