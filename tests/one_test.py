"""One test that goes through many cases: pytest spends milliseconds on every test it has."""

import inspect
from functools import wraps


def in_one_test(names, cases):
    """Let one test go through all cases; its error names those that fail, and shows the first.

    Parameters
    ----------
    names : str
        Arguments of the test, separated by spaces.
    cases : sequence or callable
        A tuple for each case, or a value if there is one name; or a function that returns them, of other
        arguments of the test, by their names.

    Notes
    -----
    Fixtures are made once for all cases, and a case that is skipped would leave out those behind it.
    """
    names = names.split()

    def decorate(test):
        signature = inspect.signature(test)
        needed = inspect.signature(cases).parameters if callable(cases) else ()

        @wraps(test)
        def go_through(**arguments):
            rows = cases(**{name: arguments[name] for name in needed}) if callable(cases) else cases
            assert rows, "there are no cases"
            failed = {}
            for row in rows:
                values = row if len(names) > 1 else (row,)
                try:
                    test(**arguments, **dict(zip(names, values, strict=True)))
                except Exception as error:
                    failed[", ".join(map(str, values))] = error
            if failed:
                first = next(iter(failed.values()))
                raise AssertionError(f"fails for {'; '.join(failed)}; the first: {first}") from first

        others = [each for name, each in signature.parameters.items() if name not in names]
        go_through.__signature__ = signature.replace(parameters=others)
        return go_through

    return decorate
