from seg_jax.data.datasets.id_list import read_ids


def test_an_id_is_the_first_word_of_a_line(tmp_path):
    (tmp_path / "list.txt").write_text("b 1 2\r\n\n  a\nc\t-1\n")
    assert read_ids(tmp_path / "list.txt") == ("b", "a", "c")


def test_no_list_has_no_ids(tmp_path):
    assert read_ids(tmp_path / "list.txt") == ()
