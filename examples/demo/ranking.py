# ranking.py - for the demonstration: reads the small JSON files that catalog.c wrote and ranks the texts by their words. Python as it is: it knows files.
import csv, json, pathlib

notes = pathlib.Path("/notes")
texts = [json.loads(note.read_text()) for note in (notes / "texts").iterdir()]
with open(notes / "ranking.csv", "w", newline="") as table:
    rows = csv.writer(table)
    rows.writerow(["text", "words"])
    rows.writerows(sorted(([text["name"], text["words"]] for text in texts), key=lambda row: -row[1]))
print(len(texts), "texts; the longest is", max(texts, key=lambda text: text["words"])["name"])
