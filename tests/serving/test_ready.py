from fsdl_course.serving import ready
from fsdl_course.setup.failures import SetupError
from fsdl_deploy.running.stations import NotBuilt


def test_what_cannot_be_built_is_named_and_the_rest_is_ready(monkeypatch):
    asked, sentences = [], []

    def ensure(name):
        asked.append(name)
        if name == "away":
            raise SetupError("no network")
        if name == "elsewhere":
            raise NotBuilt("not on this machine")

    monkeypatch.setattr(ready, "ensure", ensure)
    names = ["course", "away", "litserve", "elsewhere", "triton"]
    assert ready.build(names, sentences.append) == ["course", "litserve", "triton"]
    assert asked == names[1:] and sentences == ["no network", "not on this machine"]
