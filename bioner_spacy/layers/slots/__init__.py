"""The recurrent layers of slots (SRU-NER): memory, window and reader."""
