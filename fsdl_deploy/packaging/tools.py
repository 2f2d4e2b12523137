"""What the notebooks of the packaging tools (Cog, BentoML, Truss) share."""

import json

from fsdl_deploy.packaging.containers import FOLDER


def tool_image(tool: str) -> str:
    """What ``infra/docker/tool_images.py`` recorded of the image of cog, bentoml or truss, line by line."""
    record = json.loads((FOLDER / "tool_images.json").read_text(encoding="utf-8"))
    one = record["images"][tool]
    lines = [
        f"{record['date']}: {record['machine']}; engine {record['engine']}",
        f"{one['base MB']:7.1f} MB  base image: {one['base']}",
        *(f"{megabytes:7.1f} MB  {made_by}" for megabytes, made_by in one["layers"]),
        f"{one['MB']:7.1f} MB  in all, built in {one['build seconds']:.0f} s",
        f"run as {one['user']}: ready after {one['start seconds']:.1f} s, {one['MiB']:.0f} MiB of memory",
        f"beside the safe options: {one['beside the safe options'] or 'nothing'}",
        f"the reader's digits: {one['equal']} of {record['cards']} cards",
        f"a threshold of 7: {one['threshold 7']}",
    ]
    return "\n".join(lines)
