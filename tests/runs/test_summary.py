"""The result of a search in words."""

from tinynas.runs import chosen_words


def test_why_another_that_scores_higher_is_not_the_best():
    best = {"trial": 7, "chosen": "smaller than #9"}
    assert chosen_words({"best": best}) == "The best is #7, smaller than #9."


def test_nothing_is_said_where_nothing_has_to_be():
    older = {"trial": 7}  # a summary from before there was a reason
    assert [
        chosen_words(each) for each in (None, {"best": None}, {"best": older}, {"best": {**older, "chosen": None}})
    ] == [None] * 4
