"""Muon, and the state of a training in small files: the video model's programs define them."""
import importlib.util
import pathlib


def load(name):
    spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).parent.parent / "video" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


muon, state = load("muon"), load("state")
