"""What a conversation is about: labels by rules and by a small trained model, and the language it is in.

`language.py` guesses the language of a text, `rules.py` finds the words of `data/<language>.json` in it,
`classifier.py` decides where they do not, `labelling.py` puts the three together. All of that is pure and offline.
`training/` makes the model of the classifier. `book.py` keeps what people changed about labels and words, `stamping.py`
labels messages as they are saved, `desk.py` is what people do with the labels of a conversation.

To add a language: a file `data/<language>.json` like the others, its common words in `data/languages.json`, and a
sample in tests/services_labels.
"""
