"""The blog post from Kaggle's two files to a submission, as a new user would write it.

`tests/test_post.py` runs it on small files, and `make lint` checks its types in the strict mode of pyright.
"""

import inksight
from inksight.data import write_submission

# Kaggle's files, and how many images there are of each digit
data = inksight.load("train.csv")
print(data.summary())
data.plot(kind="counts").savefig("counts.png")
data.plot(kind="one_of_each").savefig("one-of-each.png")
data.plot().savefig("examples.png")

# Training and validation images
splits = data.split(validation_size=0.2, seed=2)
splits.plot().savefig("splits.png")
assert splits.validation is not None
validation = splits.validation

# The network
print(inksight.summary("post"))

# Training: each image is rotated by up to 36 degrees and shifted by up to a tenth of its side
augmentation = inksight.Augmentation(rotation=36, shift=2.8)
recipe = inksight.Recipe(epochs=20, batch_size=320, learning_rate=0.003, augmentation=augmentation)
model = inksight.train(splits, "post", recipe)
model.save("post.safetensors")
print(model)

# Curves of accuracy and loss, the confusion matrix, and the digits that were read wrong
model.history.plot().savefig("curves.png")
model.history.plot(kind="accuracy").savefig("accuracy.png")
evaluation = model.evaluate(validation)
print(evaluation)
evaluation.plot().savefig("confusion.png")
evaluation.plot(kind="hardest").savefig("hardest.png")

# The filters of the first bank, and what each bank makes of an image
model.plot().savefig("filters-1.png")
inksight.filters(model, bank=2).plot().savefig("filters-2.png")
image = validation.of_digit(5).images[0]
for bank in (1, 2, 3):
    model.feature_maps(image, bank).plot().savefig(f"maps-{bank}.png")

# Barcodes: of one image, of 500 images together, of each digit, and of each digit minus what all have in common
inksight.barcode(model, image).plot().savefig("barcode.png")
average = inksight.average_barcodes(model, validation, each=50)
average.plot(kind="trend").savefig("average-barcode.png")
average.plot().savefig("average-barcodes.png")
detrended = average.means - average.trend
print(detrended.shape, average.counts.sum())
inksight.detrended_barcodes(model, validation, each=10, average=average).plot().savefig("detrended.png")

# A submission, from the model and from its file
test = inksight.load("test.csv")
predictions = model.predict(test.images)
assert (inksight.load_model("post.safetensors").predict(test.images) == predictions).all()
write_submission(predictions, "submission.csv")

# The model reads a picture
page = inksight.read("photo.png", model)
page.plot().savefig("page.png")
page[0].plot().savefig("reading.png")
