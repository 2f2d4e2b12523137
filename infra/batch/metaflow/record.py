"""What Metaflow has on record of a run, as JSON: python record.py RUN-ID (as METAFLOW_* say where)."""

import json
import sys

from metaflow import Run, Task, namespace

STEPS = ("start", "score", "check", "end")


def task_record(task: Task) -> dict:
    """A task: attempts as [begun, started to work, finished, succeeded], times in seconds; what it left."""
    entries = sorted(task.metadata, key=lambda entry: int(entry.created_at))
    metadata = {entry.name: entry.value for entry in entries}
    artifacts = {artifact.id: artifact.data for artifact in task}
    failure = getattr(artifacts.get("failure"), "exception", None)  # caught: then no attempt succeeded
    names = ("attempt", "attempt-done", "attempt_ok")
    started, finished, succeeded = ([entry for entry in entries if entry.name == name] for name in names)
    begun = [task.created_at.timestamp(), *(int(entry.created_at) / 1000 for entry in finished)]
    attempts = [
        [begin, int(start.created_at) / 1000, int(end.created_at) / 1000, ok.value == "True" and not failure]
        # The last attempt may be unfinished.
        for begin, start, end, ok in zip(begun, started, finished, succeeded, strict=False)
    ]
    place = metadata.get("foreach-execution-path", "").partition(":")[2]  # which chunk
    return {
        "step": task.parent.id,
        "task": f"{task.parent.id}[{place}]" if place and task.parent.id == "score" else task.parent.id,
        "finished": task.finished,
        "cloned": task.origin_pathspec is not None,
        "attempts": attempts,
        "failure": failure,
        "left": {name: artifacts[name] for name in ("scored", "fresh", "sentence") if name in artifacts},
    }


if __name__ == "__main__":
    namespace(None)  # whoever ran it
    run = Run(f"ReadCards/{sys.argv[1]}")
    tasks = [task_record(task) for step in run for task in step]
    tasks.sort(key=lambda task: (STEPS.index(task["step"]), len(task["task"]), task["task"]))
    state = {"began": run.created_at.timestamp(), "finished": run.finished, "successful": run.successful}
    json.dump(state | {"tasks": tasks}, sys.stdout)
