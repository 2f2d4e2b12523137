"""What Metaflow has on record of a run, as JSON: python record.py RUN-ID (as METAFLOW_* say where)."""

import json
import sys

from metaflow import Run, Task, namespace

STEPS = ("start", "score", "check", "end")


def told(task: Task) -> dict:
    """A task: its attempts as [begun, worked from, done, went well], times in seconds; and what it left."""
    entries = sorted(task.metadata, key=lambda entry: int(entry.created_at))
    known = {entry.name: entry.value for entry in entries}
    left = {artifact.id: artifact.data for artifact in task}
    failure = left["failure"].exception if left.get("failure") else None  # caught: then none went well
    names = ("attempt", "attempt-done", "attempt_ok")
    working, done, well = ([entry for entry in entries if entry.name == name] for name in names)
    begun = [task.created_at.timestamp(), *(int(entry.created_at) / 1000 for entry in done)]
    attempts = [
        [begin, int(work.created_at) / 1000, int(end.created_at) / 1000, ok.value == "True" and not failure]
        for begin, work, end, ok in zip(begun, working, done, well, strict=False)  # one may be unfinished
    ]
    place = known.get("foreach-execution-path", "").partition(":")[2]  # which chunk
    return {
        "step": task.parent.id,
        "task": f"{task.parent.id}[{place}]" if place and task.parent.id == "score" else task.parent.id,
        "finished": task.finished,
        "cloned": task.origin_pathspec is not None,
        "attempts": attempts,
        "failure": failure,
        "left": {name: left[name] for name in ("scored", "fresh", "sentence") if name in left},
    }


if __name__ == "__main__":
    namespace(None)  # whoever ran it
    run = Run(f"ReadCards/{sys.argv[1]}")
    tasks = [told(task) for step in run for task in step]
    tasks.sort(key=lambda task: (STEPS.index(task["step"]), len(task["task"]), task["task"]))
    state = {"began": run.created_at.timestamp(), "finished": run.finished, "successful": run.successful}
    json.dump(state | {"tasks": tasks}, sys.stdout)
