"""What the documents are made with: the pictures, and the house as its imports draw it."""
