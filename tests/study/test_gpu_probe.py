import torch

from skelnas.study.gpu_probe import gpu_facts


def test_a_gpu_is_named_and_its_absence_too():
    facts = gpu_facts()
    if torch.cuda.is_available():
        assert facts["fault"] == ""
        assert facts["name"] == torch.cuda.get_device_name(0)
        assert facts["memory"] > 1e9
        assert facts["count"] == torch.cuda.device_count()
    else:
        why = "sees no GPU" if torch.version.cuda else "is a build for processors only"
        assert facts == {"fault": f"PyTorch {torch.__version__} {why}", "cuda": torch.version.cuda or ""}


def test_a_gpu_that_is_visible_and_does_not_work(monkeypatch):
    def refuse(*shape, device):
        if device == "cuda:0":
            return torch.full(shape, 1.0)
        raise RuntimeError("CUDA error: no kernel image is available\nfor this device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "ones", refuse)
    assert gpu_facts()["fault"] == "GPU 1 cannot be used (CUDA error: no kernel image is available)"
