"""Where files are kept, by the settings."""

from __future__ import annotations

from storage.files import FolderFiles
from storage.mongodb.files import MongoFiles
from weir.config import Config
from weir.parts.files import made_files
from weir.parts.store import made_store


async def _nothing():
    return
    yield


async def test_files_of_a_built_in_database_lie_in_the_data_folder(tmp_path):
    config = Config(data_dir=str(tmp_path / "weir"))
    files = made_files(config, made_store(config, create=True))
    assert isinstance(files, FolderFiles)
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert await files.put_file(digest, _nothing()) == 0
    assert (tmp_path / "weir" / "files" / "e3" / "b0" / digest).exists()


def test_files_of_a_mongodb_lie_in_it(tmp_path):
    config = Config(data_dir=str(tmp_path / "weir"), database="mongodb://127.0.0.1:1/weir")
    assert isinstance(made_files(config, made_store(config, create=True)), MongoFiles)
    assert not (tmp_path / "weir").exists()
