"""Checks, the rows they prove, and what came of them."""

import traceback
from dataclasses import dataclass, field

from wire import Fault


class NotRun(Exception):
    """The check needs something that the profile does not name."""


@dataclass(frozen=True)
class Check:
    rows: tuple
    title: str
    body: object


CHECKS: list = []


def check(*rows: str, title: str = ""):
    """Registers a function of the subject as the check of these rows. Its name is its title unless one is given."""

    def register(body):
        CHECKS.append(Check(rows, title or body.__name__.replace("_", " "), body))
        return body

    return register


@dataclass
class Outcome:
    """`pass`, `fail` or `not run`, and why."""

    rows: tuple
    title: str
    result: str
    why: str = ""


@dataclass
class Report:
    outcomes: list = field(default_factory=list)

    def run(self, subject, only=None) -> None:
        for one in CHECKS:
            if only and not set(only) & set(one.rows):
                continue
            try:
                one.body(subject)
                outcome = Outcome(one.rows, one.title, "pass")
            except NotRun as missing:
                outcome = Outcome(one.rows, one.title, "not run", str(missing))
            except Fault as fault:
                outcome = Outcome(one.rows, one.title, "fail", str(fault))
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                # A reply of another shape than the check could read. The place in the check tells which.
                place = traceback.extract_tb(error.__traceback__)[-1]
                outcome = Outcome(one.rows, one.title, "fail", f"the reply has another shape than the standard's: {error!r} at {place.line}")
            self.outcomes.append(outcome)

    def rows(self) -> dict:
        """Each row with its result: failed if one of its checks failed, passed if one passed and none failed."""
        rows: dict = {}
        for outcome in self.outcomes:
            for row in outcome.rows:
                rows.setdefault(row, []).append(outcome)
        results = {}
        for row, outcomes in sorted(rows.items()):
            worst = next((o for o in outcomes if o.result == "fail"), None) or next((o for o in outcomes if o.result == "pass"), outcomes[0])
            results[row] = (worst.result, worst.why if worst.result != "pass" else "; ".join(o.title for o in outcomes if o.result == "pass"))
        return results

    def count(self, result: str) -> int:
        return sum(1 for outcome, _ in self.rows().values() if outcome == result)
