import pytest
import step_shares

pytestmark = pytest.mark.usefixtures("tensorflow")


def test_a_step_is_split_into_its_operations(capsys, monkeypatch):
    monkeypatch.setattr(step_shares, "STEPS", 2)
    step_shares._network("lean", 0.0, "float32")
    said = capsys.readouterr().out
    assert "lean, float32, dropout 0" in said
    assert "Conv2DBackpropFilter" in said
