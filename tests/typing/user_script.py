"""A user's script: `make lint` checks that inksight gives it no `Any` (mypy --strict with --disallow-any-expr)."""

import inksight

data = inksight.load("mnist")
splits = data.split()
model = inksight.train(splits, "post", recipe="seconds", seed=1, epochs=1, progress=False)
assert splits.test is not None
test = splits.test
evaluation = inksight.evaluate(model, test)
print(evaluation.accuracy, evaluation.interval)
model.save("model.safetensors")
again = inksight.load_model("model.safetensors")
print(again.predict(test.images[:5]), again.digest, inksight.ood_score(again, test.images[:5]))
filters = inksight.filters(model, bank=1)
print(filters.kernels, inksight.feature_maps(model, test.images[:1], bank=2).maps)
print(inksight.barcode(model, test.images[:1]).values, inksight.average_barcodes(model, test).means)
averages = inksight.average_barcodes(model, test)
print(
    inksight.evidence(model, test.images[:1], averages),
    inksight.neighbours(model, test.images[:2], splits.train).distances,
)
page = inksight.read("photo.jpg")
print(page.text, page.confidence, [digit.box for digit in page])
pages = inksight.read(["photo.jpg", "scan.png"], accept_all=True)
print([one.text for one in pages], inksight.prepare("seven.png").image)
taught = inksight.teach("my-digits/", model="best")
print(taught.after, inksight.prune(splits, "post").steps, inksight.doubtful_labels(data).order[:10])
recipe = inksight.Recipe(epochs=2, learning_rate=0.01, augmentation=inksight.Augmentation(rotation=10))
network = inksight.Network((inksight.Bank(8, 5, pool=2), inksight.Bank(16)))
print(inksight.summary(network), recipe.learning_rate_at(0.5))
