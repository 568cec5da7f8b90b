"""`python -m tools.translation`: bring locale/ up to date and tell what is left to do; `--check` only judges."""

from __future__ import annotations

import sys

from tools.translation.catalogue import LANGUAGES, catalogue_path, read_catalogue, updated, write_catalogue
from tools.translation.judgement import problems_of
from tools.translation.python_source import UnreadableMessage
from tools.translation.sources import PROJECT, messages_for
from tools.translation.template_source import BrokenTemplate


def main(arguments: list[str]) -> int:
    """Returns 2 for source that cannot be read and, with `--check`, 1 when something is left to translate."""
    only_judge = "--check" in arguments
    complete = True
    for language in LANGUAGES:
        try:
            messages = list(messages_for(language))
        except (UnreadableMessage, BrokenTemplate, SyntaxError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
        path = catalogue_path(PROJECT, language)
        catalogue = read_catalogue(path, language)
        if not only_judge:
            catalogue = updated(catalogue, messages, language)
            write_catalogue(catalogue, path, language)
        problems = problems_of(catalogue, messages)
        complete = complete and not problems
        sys.stdout.write("".join(f"{language}: {problem}\n" for problem in problems))
        sys.stdout.write(f"{language}: {len(catalogue)} messages, {len(problems)} problems\n")
    return 1 if only_judge and not complete else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
