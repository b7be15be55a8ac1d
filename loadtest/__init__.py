"""Made-up traffic: the sale simulator with its ground truth, the score, load users. May import actors only."""
