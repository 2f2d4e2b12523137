from fsdl_course.packaging import format_versions
from fsdl_course.packaging.environments import Environments
from fsdl_deploy import weights


def test_each_version_is_read_or_refused_with_the_reason(tmp_path):
    good = weights.verified("v2.onnx")
    files = format_versions.write(good, [(17, 8), (20, 10)], tmp_path)
    files["no model"] = tmp_path / "none.onnx"
    files["no model"].write_bytes(b"no model")
    answers = format_versions.tried(Environments(tmp_path), files)["core"]
    assert answers["opset 20, IR 10"] == "reads" and "none.onnx" in answers["no model"]
    table = format_versions.table(good, files, {"core": answers})
    assert [row[0] for row in table.rows] == ["opset 17, IR 8", "opset 20, IR 10 (as exported)", "no model"]
    assert table.rows[0][1].startswith("No Adapter To Version $17") and table.rows[1][1] == "reads"
