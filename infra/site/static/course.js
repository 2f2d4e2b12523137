// The reader starts when somebody asks for it; from disk a browser lets no page run it, and one sentence says so.
if (location.protocol === "file:") document.documentElement.classList.add("from-disk");

const reader = document.getElementById("reader");
document.getElementById("start-reader")?.addEventListener("click", () => {
  const frame = document.createElement("iframe");
  frame.src = reader.dataset.source;
  frame.title = "The reader: write a number, and the model reads it";
  reader.querySelector(".reader-served").replaceWith(frame);
  frame.focus();
});
