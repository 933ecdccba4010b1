"""Generated pages of the documentation site: commands, settings, errors, and the files of the repository's root."""

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import click
import typer

from bioner_spacy.cli.app import group
from bioner_spacy.errors import Errors, Warnings

SECTIONS = {
    "1": "Corpora",
    "2": "Tokenization",
    "3": "Formulations, layers and models",
    "4": "Pipeline and training",
    "5": "Evaluation",
    "6": "Commands",
}
"""What the first digit of a code says."""


ROOT = Path(__file__).parents[1]
ROOT_PAGES = {"README.md": "start.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files of the repository's root that are pages of the site, and the names of these pages."""

GROUPS = {
    "spacy_factories": "Components",
    "spacy_architectures": "Architectures",
    "spacy_tokenizers": "Tokenizers",
    "spacy_readers": "Corpus readers",
    "spacy_batchers": "Batchers",
    "thinc_schedules": "Schedules",
    "spacy_misc": "Loss balance",
    "spacy_callbacks": "Callbacks",
    "spacy_loggers": "Loggers",
    "spacy_scorers": "Scorers",
}
"""Registries with settings, and their headings."""

DESCRIBED_BY = {
    "multitask_ner": ["bioner_spacy.pipeline.multitask_ner.MultiTaskNER", "bioner_spacy.pipeline.settings.Settings"]
}
"""Names whose settings are described elsewhere than at the registered function."""


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages before the site is built."""
    from mkdocs.structure.files import File

    pages = {"commands.md": commands_page(), "settings.md": settings_page(), "errors.md": errors_page()}
    pages |= {page: root_page(name) for name, page in ROOT_PAGES.items()}
    for name, page in pages.items():
        files.append(File.generated(config, name, content=page))
    return files


def root_page(name: str) -> str:
    """A file of the repository's root, with its links as seen from the site."""

    def link(match: re.Match[str]) -> str:
        text, target = match.groups()
        target = ROOT_PAGES.get(target, target.removeprefix("docs/"))
        in_site = (
            ":" in target or (ROOT / "docs" / target.partition("#")[0]).is_file() or target in ROOT_PAGES.values()
        )
        return f"[{text}]({target})" if in_site else text

    page = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", link, (ROOT / name).read_text(encoding="utf8"))
    return page.replace("# bioner_spacy\n", "# Get started\n", 1)


def settings_page() -> str:
    """Every registered name with its settings, and a config with all of them."""
    entries = distribution("bioner_spacy").entry_points
    lines = [
        "# Settings",
        "",
        "What configs can name, and its settings. [Below](#a-complete-config) is a complete config.",
    ]
    for registry, heading in GROUPS.items():
        lines += ["", f"## {heading}"]
        for entry in sorted(entries.select(group=registry)):
            options = "{show_root_heading: false, show_root_toc_entry: false, members: false, show_bases: false, "
            options += "docstring_section_style: list}"
            lines += ["", f"### {entry.name}"]
            if entry.value.endswith("_v1"):
                lines += [
                    "",
                    "The settings of version 2, by the names that they had before version 0.3 (see the changelog).",
                ]
                continue
            for target in DESCRIBED_BY.get(entry.name, [entry.value.replace(":", ".")]):
                lines += ["", f"::: {target}", f"    options: {options}"]
    config = (ROOT / "configs" / "small.cfg").read_text(encoding="utf8")
    return "\n".join([*lines, "", "## A complete config", "", "```ini", config.rstrip(), "```", ""])


def errors_page() -> str:
    """Every error and warning with its code, by section; in braces is what a message fills in."""
    lines = [
        "# Errors and warnings",
        "",
        "Every message begins with its code, such as [E102], and says what is wrong, where, and what to do. Names in braces are",
        "filled in. Commands end with exit status 1 after an error; warnings do not stop them.",
    ]
    for digit, section in SECTIONS.items():
        lines += ["", f"## {section}", "", "| Code | Message |", "| --- | --- |"]
        for table in (Errors, Warnings):
            codes = sorted(code for code in vars(table) if code[0] in "EW" and code[1] == digit)
            lines += [f"| {code} | {_cell(vars(table)[code])} |" for code in codes]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its help, arguments and options."""
    lines = ["# Command line", "", "All commands are subcommands of `python -m spacy bioner`."]
    root: Any = typer.main.get_command(group("bioner", "bioner_spacy.cli.commands"))
    for name, command in _walk(root, ""):
        text, _, example = (command.help or "").replace("\b", "").partition("Example:")
        lines += ["", f"## {name}", "", "\n".join(line.strip() for line in text.strip().splitlines()), ""]
        lines += [f"    {line.strip()}" for line in example.strip().splitlines()]
        lines += ["", "| Argument or option | Default | Meaning |", "| --- | --- | --- |"]
        for option in command.params:
            is_option = option.param_type_name == "option"
            names = ", ".join(f"`{one}`" for one in (*option.opts, *option.secondary_opts))
            default = f"`{option.default}`" if is_option and option.default not in (None, "") else ""
            lines.append(
                f"| {names if is_option else f'`{option.name.upper()}`'} | {default} | {_cell(option.help or '')} |"
            )
    return "\n".join(lines) + "\n"


def _walk(command: Any, name: str) -> list[tuple[str, Any]]:
    """A command, or the commands of a group, with their names."""
    if not hasattr(command, "list_commands"):
        return [(name, command)]
    context = click.Context(command)
    inner = [(one, command.get_command(context, one)) for one in command.list_commands(context)]
    return [found for one, child in inner for found in _walk(child, f"{name} {one}".strip())]


def _cell(text: str) -> str:
    """Text for a cell of a table, with no markup read in it but code."""
    text = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    parts = text.split("`")
    return "`".join(part.replace("\\_", "_").replace("\\*", "*") if i % 2 else part for i, part in enumerate(parts))
