"""Networks that know photographs: which there are, what they answer, and what is done to a picture before. No page."""
