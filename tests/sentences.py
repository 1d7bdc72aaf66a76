"""Sentences for tests: made up here, so that the tests need no data from elsewhere."""

SENTENCES = [
    "The house is small and the garden behind it is very large.",
    "I think that my parents are hiding something from me.",
    "Where did you buy this old book about trains?",
    "She said she would come tomorrow if it does not rain.",
    "Please close the window before you leave the room.",
    "He has been working in this town for more than ten years.",
    "We cannot open the file because it is used by another program.",
    "My brother wants to learn how to cook.",
    "Good morning!",
    "Yes.",
    "The train to the city leaves at nine in the morning.",
    "Why do you always forget your keys at home?",
    "There is nothing we can do about the weather.",
    "If I had more time, I would read all of these books again.",
    "The server could not be reached, so the update was cancelled.",
    "They have never seen so much snow in their whole life.",
]
